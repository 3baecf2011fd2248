package facets

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

func dimensions(tb testing.TB, names ...string) []dimension.Dimension {
	tb.Helper()
	all := make([]dimension.Dimension, len(names))
	for i, name := range names {
		var err error
		all[i], err = dimension.Parse(name)
		require.NoError(tb, err)
	}
	return all
}

func count(tb testing.TB, c *Counter, events ...event.Event) {
	tb.Helper()
	ld := plog.NewLogs()
	for i := range events {
		events[i].EventID, events[i].Timestamp, events[i].Source = event.NewID(), event.Time(1), "shop"
		require.NoError(tb, eventlog.AppendRecord(ld, &events[i]))
	}
	for ref := range eventlog.All(ld) {
		c.Add(ref)
	}
}

func TestFacets(t *testing.T) {
	names := []string{"event_type", "category", "source", "severity", "data.user.id", "data.x"}
	a, b := NewCounter(dimensions(t, names...), 16<<20), NewCounter(dimensions(t, names...), 16<<20)
	user := func(id any) map[string]any { return map[string]any{"user": map[string]any{"id": id}} }
	count(t, a,
		event.Event{EventType: "user.login", Data: user(int64(7)), Metadata: map[string]any{"severity_number": int64(17)}},
		event.Event{EventType: "user.login", Data: user("x"), Metadata: map[string]any{"severity_number": int64(18)}},
	)
	count(t, b, event.Event{EventType: "alert.disk", Data: map[string]any{"x": []any{1}}}, event.Event{EventType: "user.logout", Data: user(int64(7))})
	a.Merge(b)
	assert.Equal(t, uint64(4), a.Events())
	assert.Equal(t, []Facet{
		{By: "event_type", Values: []Value{{"user.login", 2}, {"alert.disk", 1}}, Distinct: 3, Other: 1},
		{By: "category", Values: []Value{{"user", 3}, {"alert", 1}}, Distinct: 2},
		{By: "source", Values: []Value{{"shop", 4}}, Distinct: 1},
		{By: "severity", Values: []Value{{"ERROR", 2}}, Distinct: 1, Missing: 2},
		{By: "data.user.id", Values: []Value{{"7", 2}, {"x", 1}}, Distinct: 2, Missing: 1},
		{By: "data.x", Values: []Value{}, Missing: 4},
	}, a.Top(2))
}

// Each event is counted once, however many values there are and however long they are.
func TestBounds(t *testing.T) {
	c := NewCounter(dimensions(t, "data.n"), 16<<20)
	for i := range maxDistinct + 50 {
		count(t, c, event.Event{EventType: "a.b", Data: map[string]any{"n": strings.Repeat("x", 10*maxValue*(i%2)) + fmt.Sprint(i)}})
	}
	facet := c.Top(10)[0]
	var listed uint64
	for _, v := range facet.Values {
		listed += v.Count
		assert.Less(t, len(v.Value), maxValue+10)
	}
	assert.Equal(t, c.Events(), listed+facet.Other+facet.Missing)
	assert.LessOrEqual(t, facet.Distinct, maxDistinct)
}

// Long values of many dimensions take no more memory than there is for them, and are counted even
// so.
func TestMemory(t *testing.T) {
	names := make([]string, 20)
	data := map[string]any{}
	for i := range names {
		names[i] = fmt.Sprint("data.k", i)
	}
	const maxBytes = 100 << 10
	c, other := NewCounter(dimensions(t, names...), maxBytes), NewCounter(dimensions(t, names...), maxBytes)
	for i := range 500 {
		for k := range names {
			data[fmt.Sprint("k", k)] = fmt.Sprint(i, strings.Repeat("x", 10*maxValue))
		}
		count(t, []*Counter{c, other}[i%2], event.Event{EventType: "a.b", Data: data})
	}
	c.Merge(other)
	var kept int
	for _, facet := range c.Top(1000) {
		events := facet.Other
		for _, v := range facet.Values {
			kept += len(v.Value)
			events += v.Count
		}
		assert.EqualValues(t, 500, events)
	}
	assert.Greater(t, kept, maxBytes/2)
	assert.LessOrEqual(t, kept, maxBytes)
}

func TestWrongDimensions(t *testing.T) {
	for _, name := range []string{"", "data.", "data", "host", "metadata.x"} {
		_, err := dimension.Parse(name)
		assert.Error(t, err, name)
	}
}

func BenchmarkAdd(b *testing.B) {
	ld := plog.NewLogs()
	require.NoError(b, eventlog.AppendRecord(ld, &event.Event{EventID: "a", EventType: "user.login", Timestamp: event.Time(1), Source: "shop", Data: map[string]any{"user": map[string]any{"id": int64(7)}}}))
	c := NewCounter(dimensions(b, "event_type", "source", "severity", "data.user.id"), 16<<20)
	b.ReportAllocs()
	for b.Loop() {
		for ref := range eventlog.All(ld) {
			c.Add(ref)
		}
	}
}
