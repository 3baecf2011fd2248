package event

import (
	"strings"
	"unicode/utf8"
)

// shownBytes is how much is shown of a text that is wrong, or names what is wrong.
const shownBytes = 128

// Shorten returns a text that is short enough for an error or a log: its first 128 bytes and an
// ellipsis where it has more, and always valid UTF-8.
func Shorten(text string) string { return ShortenTo(text, shownBytes) }

// ShortenTo is Shorten with another number of bytes.
func ShortenTo(text string, bytes int) string {
	if len(text) <= bytes {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	for bytes > 0 && !utf8.RuneStart(text[bytes]) {
		bytes--
	}
	return strings.ToValidUTF8(text[:bytes], "\ufffd") + "…"
}
