package predicate

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/severity"
)

func TestWrongFilters(t *testing.T) {
	for _, tt := range []struct {
		spec         filter.Spec
		name, reason string
	}{
		{filter.Spec{EventTypes: []string{"a", ""}}, "event_type", "must not be empty"},
		{filter.Spec{Sources: []string{" a"}}, "source", "white space"},
		{filter.Spec{Since: "yesterday"}, "since", `"yesterday" is not a time: write RFC 3339`},
		{filter.Spec{Since: "15"}, "since", "with its unit"},
		{filter.Spec{Until: "soon"}, "until", `"soon" is not a time`},
		{filter.Spec{Since: "1h", Until: "2h"}, "until", "before since"},
		{filter.Spec{MinSeverity: "bad"}, "min_severity", `"bad" is no severity: write trace, debug`},
		{filter.Spec{EventIDs: []string{"a", ""}}, "event_id", "empty element"},
		{filter.Spec{TraceIDs: []string{"abc"}}, "trace_id", `"abc" is not a trace id: 32 hexadecimal digits`},
		{filter.Spec{TraceIDs: []string{strings.Repeat("x", 32)}}, "trace_id", "is not a trace id"},
		{filter.Spec{TraceIDs: []string{strings.Repeat("0", 32)}}, "trace_id", "not all zero"},
		{filter.Spec{TraceIDs: []string{""}}, "trace_id", "empty element"},
		{filter.Spec{Data: map[string]filter.Texts{"": {"v"}}}, "data.", "write a key after data."},
		{filter.Spec{Data: map[string]filter.Texts{strings.Repeat("a.", 12) + "a": {"v"}}}, "data." + strings.Repeat("a.", 12) + "a", "up to 12 keys"},
		{filter.Spec{Where: `attributes["n"] >`}, "where", "invalid syntax at 1:"},
		{filter.Spec{Where: "  "}, "where", "blank"},
	} {
		_, err := Compile(&tt.spec, time.Now())
		var wrong *filter.Fault
		require.ErrorAs(t, err, &wrong, "%v", tt.spec)
		assert.Equal(t, tt.name, wrong.Name)
		assert.ErrorContains(t, err, tt.reason)
	}
}

// What is known of an event without its content decides in one step.
func TestHead(t *testing.T) {
	compile := func(spec filter.Spec) *Predicate {
		p, err := Compile(&spec, time.Unix(1000, 0))
		require.NoError(t, err)
		return p
	}
	for name, tt := range map[string]struct {
		p          *Predicate
		at         int64 // seconds
		eventType  string
		number     severity.Number
		want       bool
		all, block bool
	}{
		"nil":                     {p: nil, want: true, all: true, block: true},
		"empty":                   {p: compile(filter.Spec{}), want: true, all: true, block: true},
		"star":                    {p: compile(filter.Spec{EventTypes: []string{"*"}}), want: true, all: true, block: true},
		"type":                    {p: compile(filter.Spec{EventTypes: []string{"user.*"}}), eventType: "user.login", want: true, block: true},
		"other type":              {p: compile(filter.Spec{EventTypes: []string{"user.*"}}), eventType: "cart", block: true},
		"at since":                {p: compile(filter.Spec{Since: "10s"}), at: 990, want: true, block: true},
		"before since":            {p: compile(filter.Spec{Since: "10s"}), at: 989, block: true},
		"before until":            {p: compile(filter.Spec{Until: "10s"}), at: 989, want: true, block: true},
		"at until":                {p: compile(filter.Spec{Until: "10s"}), at: 990, block: true},
		"until after all times":   {p: compile(filter.Spec{Until: "9999-01-01T00:00:00Z"}), at: 9_000_000_000, want: true, all: true, block: true},
		"until before all times":  {p: compile(filter.Spec{Until: "1900-01-01T00:00:00Z"}), at: 0, block: true},
		"severity":                {p: compile(filter.Spec{MinSeverity: "error"}), number: severity.Error, want: true},
		"step":                    {p: compile(filter.Spec{MinSeverity: "error2"}), number: severity.Error},
		"higher severity":         {p: compile(filter.Spec{MinSeverity: "error"}), number: severity.Fatal, want: true},
		"lower severity":          {p: compile(filter.Spec{MinSeverity: "Error"}), number: severity.Error - 1},
		"no severity":             {p: compile(filter.Spec{MinSeverity: "trace"})},
		"what content may decide": {p: compile(filter.Spec{EventIDs: []string{"a"}}), want: true},
	} {
		assert.Equal(t, tt.want, tt.p.MatchesHead(pcommon.Timestamp(tt.at*1e9), tt.eventType, tt.number), name)
		assert.Equal(t, tt.all, tt.p.All(), name)
		assert.Equal(t, tt.block, tt.p.ByBlock(), name)
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z":           time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05.000000001Z": time.Date(2026, 1, 2, 3, 4, 5, 1, time.UTC),
		"2026-01-02T03:04:05+02:00":      time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05 02:00":      time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC), // + of a query that nobody escaped
		"15m":                            now.Add(-15 * time.Minute),
		"1h30m":                          now.Add(-90 * time.Minute),
		"7d":                             now.AddDate(0, 0, -7),
		"2w":                             now.AddDate(0, 0, -14),
		"0s":                             now,
	} {
		p, err := Compile(&filter.Spec{Since: value}, now)
		require.NoError(t, err, value)
		since, _ := p.Bounds()
		assert.True(t, want.Equal(since), "%s is %v", value, since)
	}
}
