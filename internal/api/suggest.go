package api

import (
	"strings"

	"github.com/isbl/telemetry/internal/text"
)

// maxTypos is how many wrong letters a name may have to be recognised.
const maxTypos = 3

// nearest returns the name that was probably meant, or "".
func nearest(typed string, names []string) string {
	best, at := maxTypos+1, ""
	for _, name := range names {
		if len(typed) >= 3 && strings.Contains(name, typed) {
			return name
		}
		if len(typed) > len(name)+maxTypos {
			continue
		}
		if d := text.Distance(typed, name); d < best && d < len(name) {
			best, at = d, name
		}
	}
	return at
}
