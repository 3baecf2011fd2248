package show

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/severity"
)

const (
	timeForm = "2006-01-02T15:04:05.000Z07:00"
	// The columns of a line: longer values push the rest along.
	typeWidth, sourceWidth = 24, 10
	// maxValue is how many runes of a value are shown.
	maxValue = 200
)

// Event returns an event as one line: when, how severe, what, where, and its data as key=value.
func (c *Style) Event(e *telemetry.Event) string {
	number, _ := e.Metadata["severity_number"].(int64)
	eventType := printable(e.EventType)
	parts := []string{
		c.Faint(e.Timestamp.In(c.Zone).Format(timeForm)),
		c.severity(severity.Number(number)),
		c.Category(e.EventType, fmt.Sprintf("%-*s", typeWidth, eventType)),
		fmt.Sprintf("%-*s", sourceWidth, printable(e.Source)),
	}
	parts = c.pairs(parts, "", e.Data)
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}

// pairs appends the values of a map by name; those of a map inside it under their path.
func (c *Style) pairs(parts []string, path string, m map[string]any) []string {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		name := path + key
		if inner, ok := m[key].(map[string]any); ok && len(inner) > 0 {
			parts = c.pairs(parts, name+".", inner)
			continue
		}
		parts = append(parts, c.Faint(printable(name)+"=")+value(m[key]))
	}
	return parts
}

// value is JSON where a string would not be clear as it is.
func value(v any) string {
	if s, ok := v.(string); ok {
		switch {
		case s == "" || printable(s) != s || strings.ContainsAny(s, ` "=`):
			return shorten(strconv.Quote(s))
		default:
			return shorten(s)
		}
	}
	var one strings.Builder
	enc := json.NewEncoder(&one)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "?" // nothing that came as JSON
	}
	return shorten(printable(strings.TrimRight(one.String(), "\n")))
}

// Text returns a text as Event shows it: quoted where it would not be clear as it is.
func Text(s string) string { return value(s) }

func shorten(s string) string {
	if runes := []rune(s); len(runes) > maxValue {
		return string(runes[:maxValue]) + "…"
	}
	return s
}

// printable escapes what would do something to a terminal instead of being shown: events come from
// anywhere.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Gap describes events that were removed before they were read.
func Gap(g *client.Gap) string {
	what := "events went away before they were read"
	switch {
	case g.Events != nil && *g.Events == 1:
		what = "1 event went away before it was read"
	case g.Events != nil:
		what = fmt.Sprintf("%d events went away before they were read", *g.Events)
	case g.Blocks > 0:
		what = fmt.Sprintf("the events of %d blocks went away before they were read", g.Blocks)
	}
	reasons := map[string]string{
		"retention": "retention made room", "damage": "damaged files", "generation": "the store is another one, or was emptied",
	}
	if reason, ok := reasons[g.Reason]; ok {
		return "gap: " + what + " (" + g.Reason + ": " + reason + ")"
	}
	return "gap: " + what + " (" + printable(g.Reason) + ")"
}
