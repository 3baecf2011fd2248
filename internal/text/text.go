// Package text finds words in texts, and shortens what a client sent, for messages that repeat it.
package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxQuoted is how many bytes Quote shows.
const maxQuoted = 80

// Shorten returns s, or its first bytes up to limit with an ellipsis where it is longer. A
// character is not cut apart, and what is not UTF-8 becomes U+FFFD.
func Shorten(s string, limit int) string {
	if len(s) <= limit {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.ToValidUTF8(s[:limit], "\ufffd") + "…"
}

// Quote returns s between quotation marks, with an ellipsis behind them where s is longer than 80
// bytes.
func Quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}
