package show_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func TestEvent(t *testing.T) {
	e := telemetry.Event{
		Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 3600)), EventType: "alert.payment_failed", Source: "shop",
		Data: map[string]any{
			"reason": "card declined", "user": map[string]any{"id": int64(7), "empty": map[string]any{}}, "share": 0.5, "roles": []any{"a", int64(1)},
			"none": nil, "no": "", "eq": "a=b", "html": "<b>",
		},
		Metadata: map[string]any{"severity_number": int64(17)},
	}
	plain := show.NewStyle(false)
	assert.Equal(t, `2026-01-02T02:04:05.006Z  ERROR  alert.payment_failed      shop        eq="a=b"  html=<b>  no=""  none=null  `+
		`reason="card declined"  roles=["a",1]  share=0.5  user.empty={}  user.id=7`, plain.Event(&e))
	coloured := show.NewStyle(true).Event(&e)
	assert.Contains(t, coloured, "\x1b[31;1mERROR")
	assert.Contains(t, coloured, "\x1b[31malert.payment_failed")
}

// What is in an event cannot do anything to the terminal, nor look like another line.
func TestEventsAreHarmless(t *testing.T) {
	evil := "\x1b]0;title\a\r\n\u202e\x9b2J"
	line := show.NewStyle(false).Event(&telemetry.Event{
		EventType: evil, Source: evil, Data: map[string]any{evil: evil, "in": map[string]any{evil: []any{evil}}, "long": strings.Repeat("x", 1000)},
	})
	for _, r := range line {
		assert.False(t, r < 0x20 || r >= 0x7f && r <= 0x9f || r == '\u202e', "%q", r)
	}
	assert.Less(t, len(line), 800)
}

func TestGap(t *testing.T) {
	seven := uint64(7)
	assert.Equal(t, "gap: 7 events went away before they were read (retention: retention made room)", show.Gap(&client.Gap{Reason: "retention", Events: &seven}))
	assert.Equal(t, "gap: the events of 3 blocks went away before they were read (damage: damaged files)", show.Gap(&client.Gap{Reason: "damage", Blocks: 3}))
}

func TestBars(t *testing.T) {
	start := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	require.NoError(t, show.NewStyle(false).Bars(&b, 52, []show.Bar{
		{Start: &start, Name: "user", Length: 80, Number: show.Count(80, 80)}, {Start: &start, Name: "metric", Length: 1, Number: show.Count(1, 10.4)}, {Start: &start, Name: "none", Number: show.Count(0, 0)},
	}))
	assert.Equal(t, `
2026-01-02T00:00:00Z  user         80  █████████████
                      metric  1 (≈10)  ▏
                      none          0
`, "\n"+b.String())
}
