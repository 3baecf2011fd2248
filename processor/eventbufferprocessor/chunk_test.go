package eventbufferprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/eventlog"
)

// drawLogs makes a request of some resources with some scopes with some events, none of them empty.
func drawLogs(t *rapid.T) (plog.Logs, int) {
	some := rapid.IntRange(1, 4)
	ld, n := plog.NewLogs(), 0
	for r := range some.Draw(t, "resources") {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.SetSchemaUrl(fmt.Sprint("resource schema ", r))
		rl.Resource().Attributes().PutInt("resource", int64(r))
		rl.Resource().SetDroppedAttributesCount(uint32(r))
		for s := range some.Draw(t, "scopes") {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.SetSchemaUrl(fmt.Sprint("scope schema ", s))
			sl.Scope().SetName(fmt.Sprint("scope ", s))
			sl.Scope().Attributes().PutInt("scope", int64(s))
			for range some.Draw(t, "records") {
				record := sl.LogRecords().AppendEmpty()
				record.SetEventName(fmt.Sprint("type.", n%3))
				record.Attributes().PutInt("n", int64(n))
				n++
			}
		}
	}
	return ld, n
}

// described has one text per event, with all that it hangs on.
func described(ld plog.Logs) (all []string) {
	for e := range eventlog.All(ld) {
		r := e.Resource
		all = append(all, fmt.Sprint(r.SchemaUrl(), r.Resource().Attributes().AsRaw(), r.Resource().DroppedAttributesCount(),
			e.Scope.SchemaUrl(), e.Scope.Scope().Name(), e.Scope.Scope().Attributes().AsRaw(), e.EventType(), e.Record.Attributes().AsRaw()))
	}
	return all
}

func TestChunksLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld, n := drawLogs(t)
		want := described(ld)
		maxEvents := rapid.IntRange(1, n+1).Draw(t, "max")

		chunks := chunksOf(ld, n, maxEvents)
		require.Len(t, chunks, (n+maxEvents-1)/maxEvents)
		var got []string
		for i, c := range chunks {
			require.Equal(t, c.events, c.ld.LogRecordCount())
			if i < len(chunks)-1 {
				require.Equal(t, maxEvents, c.events, "all but the last are full")
			}
			got = append(got, described(c.ld)...)
		}
		require.Equal(t, want, got)

		all := merge(chunks)
		require.Equal(t, n, all.events)
		require.Equal(t, want, described(all.ld))

		first := rapid.IntRange(0, n).Draw(t, "first")
		var removed int
		all.removeFirst(first, func(eventType string) {
			require.Equal(t, fmt.Sprint("type.", removed%3), eventType)
			removed++
		})
		require.Equal(t, first, removed)
		require.Equal(t, n-first, all.events)
		require.Equal(t, want[first:], append([]string{}, described(all.ld)...))
	})
}

func TestChunkDoesNotHangOnTheRequest(t *testing.T) {
	ld := numbered(0, 2)
	c := chunksOf(ld, 2, 10)[0]
	assert.Zero(t, ld.LogRecordCount(), "moved")
	assert.Equal(t, numbers(0, 2), idsOf(c.ld))
}

func TestQueueIsFirstInFirstOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []string
		n := 0
		size := rapid.IntRange(1, 7)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				from := n
				n += size.Draw(t, "events")
				want = append(want, numbers(from, n)...)
				q.push(chunksOf(numbered(from, n), n-from, size.Draw(t, "max")))
			},
			"pop": func(t *rapid.T) {
				if q.events == 0 {
					t.Skip("empty")
				}
				maxEvents := max(size.Draw(t, "max"), q.chunks[0].events)
				c := merge(q.pop(maxEvents))
				require.LessOrEqual(t, c.events, maxEvents)
				require.Equal(t, want[:c.events], idsOf(c.ld))
				want = want[c.events:]
			},
			"remove": func(t *rapid.T) {
				first := rapid.IntRange(0, q.events).Draw(t, "first")
				removed := 0
				q.removeFirst(first, func(string) { removed++ })
				require.Equal(t, first, removed)
				want = want[first:]
			},
			"": func(t *rapid.T) { require.Equal(t, len(want), q.events) },
		})
	})
}
