// Package text shortens what a client sent, for messages that repeat it.
package text

import (
	"fmt"
	"strings"
)

// maxQuoted is how many bytes Quote shows.
const maxQuoted = 80

// Shorten returns s, or its first bytes up to limit with an ellipsis where it is longer. A character
// is not cut apart.
func Shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// Quote returns s between quotation marks, with an ellipsis behind them where s is longer than 80
// bytes.
func Quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}
