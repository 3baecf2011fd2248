package event

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckName returns what is wrong with an event type, a source or an event id; nil for nothing. The
// caller places the fault.
func CheckName(name string) *Fault {
	if isPlainName(name) {
		return nil
	}
	switch {
	case name == "":
		return NewFault(ReasonMissing, "must not be empty")
	case !utf8.ValidString(name):
		return NewFault(ReasonValue, "must be UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return NewFault(ReasonValue, "must not contain control characters: %q", Shorten(name))
	case strings.TrimSpace(name) == "":
		return NewFault(ReasonValue, "must not be blank")
	}
	return nil
}

// isPlainName reports whether a name is of visible ASCII characters only, as nearly all are.
func isPlainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return name != ""
}

// ValidText returns s with U+FFFD for what is not UTF-8.
func ValidText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
