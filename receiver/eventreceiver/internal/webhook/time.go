package webhook

import (
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/when"
)

// parseTime reads a time in RFC 3339, or a number since 1970.
func parseTime(text string) (time.Time, bool) {
	if t, ok := when.Unix(text); ok {
		return t, true
	}
	t, err := when.RFC3339(text)
	return t, err == nil
}

// notATime says what is wrong with the text of a time.
func notATime(text string) string {
	return fmt.Sprintf("must be a time in RFC 3339, like 2026-01-02T03:04:05.678Z, or a number since 1970, not %q", event.Shorten(text))
}
