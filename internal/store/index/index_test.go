package index_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
)

func add(x *index.Index, seq uint64, eventType string, events int) uint64 {
	h := block.Header{ID: uint32(seq)}
	for i := range events {
		h.Add(block.Event{Type: eventType, Source: "shop", Timestamp: int64(seq)*1000 + int64(i), Estimated: 1})
	}
	missing, _ := x.Add(index.Block{Seq: seq, Header: &h})
	return missing
}

func TestSmallBlocksShareARun(t *testing.T) {
	x := index.New(1)
	for seq := uint64(1); seq <= 2500; seq++ {
		require.Zero(t, add(x, seq, "a", 1))
	}
	span, last, ok := x.Next(1, &index.Filter{})
	require.True(t, ok)
	assert.EqualValues(t, 2500, last)
	assert.Equal(t, index.Span{First: 1, Last: 1000}, span)
	span, ok = x.Previous(2500, &index.Filter{})
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 2001, Last: 2500}, span)
	assert.Equal(t, index.Totals{Events: 2500, Blocks: 2500}, x.Totals())
}

func TestFilterSkipsRuns(t *testing.T) {
	x := index.New(1)
	add(x, 1, "a", 1000)
	add(x, 2, "b", 1000)
	add(x, 3, "a", 1000)
	isB := &index.Filter{Type: func(name string) bool { return name == "b" }}
	span, _, ok := x.Next(1, isB)
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 2, Last: 2, ByName: 1}, span)
	_, last, ok := x.Next(3, isB)
	assert.False(t, ok)
	assert.EqualValues(t, 3, last)
	span, ok = x.Previous(3, isB)
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 2, Last: 2, ByName: 1}, span)

	from2 := &index.Filter{Since: time.Unix(0, 2000), Until: time.Unix(0, 3000)}
	span, _, ok = x.Next(1, from2)
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 2, Last: 2, ByTime: 1}, span)
}

// Blocks that count by severity are left out by it; others can hold any.
func TestFilterSkipsSeverities(t *testing.T) {
	x := index.New(1)
	for i, b := range []struct {
		eventType string
		number    severity.Number
		counted   bool
	}{
		{"a", severity.Info, true},
		{"a", severity.Error + 1, true},
		{"b", severity.Info, false},
		{"b", 0, true},
		{"b", severity.Warn, true},
	} {
		h := block.Header{Severities: b.counted}
		for range 1000 {
			h.Add(block.Event{Type: b.eventType, Severity: b.number, Source: "shop", Estimated: 1})
		}
		x.Add(index.Block{Seq: uint64(i + 1), Header: &h})
	}
	runs := func(f index.Filter) (list []uint64) {
		for seq := uint64(1); ; {
			span, _, ok := x.Next(seq, &f)
			if !ok {
				return list
			}
			list, seq = append(list, span.First), span.Last+1
		}
	}
	assert.Equal(t, []uint64{1, 2, 3, 4, 5}, runs(index.Filter{}))
	assert.Equal(t, []uint64{2, 3, 4}, runs(index.Filter{MinSeverity: severity.Error + 2}), "the step is not known")
	isA := func(name string) bool { return name == "a" }
	assert.Equal(t, []uint64{2}, runs(index.Filter{MinSeverity: severity.Error, Type: isA}))
	assert.Empty(t, runs(index.Filter{MinSeverity: severity.Fatal, Type: isA}))
}

func TestMissingBlocks(t *testing.T) {
	x := index.New(5)
	require.Zero(t, add(x, 5, "a", 1))
	require.EqualValues(t, 2, add(x, 8, "a", 1))
	span, _, ok := x.Next(6, &index.Filter{})
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 8, Last: 8, Missing: 2}, span)
	span, ok = x.Previous(7, &index.Filter{})
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 5, Last: 5, Missing: 2}, span)
	_, added := x.Add(index.Block{Seq: 8, Header: &block.Header{}})
	assert.False(t, added, "a block that is known is not added again")
}

func TestTrimRemembersWhatWent(t *testing.T) {
	x := index.New(1)
	for seq := uint64(1); seq <= 100; seq++ {
		add(x, seq, "a", 10)
	}
	assert.Equal(t, index.Totals{Events: 300, Blocks: 30}, x.Trim(31))
	assert.Equal(t, index.Totals{}, x.Trim(31))
	first, last := x.Bounds()
	assert.EqualValues(t, 31, first)
	assert.EqualValues(t, 100, last)
	n, known := x.Events(5, 30)
	assert.True(t, known)
	assert.EqualValues(t, 260, n)
	span, _, ok := x.Next(1, &index.Filter{})
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 31, Last: 100}, span)

	assert.Equal(t, index.Totals{Events: 700, Blocks: 70}, x.Trim(1000), "never beyond the newest block")
	_, _, ok = x.Next(1, &index.Filter{})
	assert.False(t, ok)
	assert.Zero(t, add(x, 101, "a", 1))
	assert.Equal(t, index.Totals{Events: 1, Blocks: 1}, x.Totals())
}

func TestLose(t *testing.T) {
	x := index.New(1)
	add(x, 1, "a", 10)
	add(x, 2, "a", 5)
	assert.EqualValues(t, 10, x.Lose(1))
	assert.Zero(t, x.Lose(1), "counted once")
	n, lost := x.Lost(1)
	assert.True(t, lost)
	assert.EqualValues(t, 10, n)
	assert.Equal(t, index.Totals{Events: 5, Blocks: 1}, x.Totals())
	assert.Equal(t, index.Totals{Events: 0, Blocks: 0}, x.Trim(2), "lost events are not evicted again")
}

func TestRunsCountTypesBySeverity(t *testing.T) {
	x := index.New(1)
	count := func(severities bool, levels ...severity.Number) {
		h := block.Header{Severities: severities}
		for _, level := range levels {
			h.Add(block.Event{Type: "a", Source: "shop", Severity: level, Estimated: 2})
		}
		_, last := x.Bounds()
		x.Add(index.Block{Seq: last + 1, Header: &h})
	}
	count(true, severity.Error, 0, severity.Error+2)
	count(true, severity.Error)
	run, ok := x.Run(1, &index.Filter{})
	require.True(t, ok)
	assert.ElementsMatch(t, []block.NameCount{
		{Name: "a", Severity: severity.Error, Count: block.Count{Events: 3, Estimated: 6}},
		{Name: "a", Count: block.Count{Events: 1, Estimated: 2}},
	}, run.Types)
	assert.Equal(t, []block.NameCount{{Name: "shop", Count: block.Count{Events: 4, Estimated: 8}}}, run.Sources)
	assert.True(t, run.KnownTypes)
	assert.True(t, run.KnownSeverities)

	count(false, 0) // a block of format version 1
	run, _ = x.Run(1, &index.Filter{})
	assert.True(t, run.KnownTypes)
	assert.False(t, run.KnownSeverities)
}

// Memory is counted, not timed: the same on every machine.
func TestMemory(t *testing.T) {
	for _, tt := range []struct{ blocks, events, maxBytes int }{
		{1_000_000, 1, 32 << 20},
		{10_000, 1000, 10_000 * 1000 / 2},
	} {
		t.Run(fmt.Sprintf("%d blocks of %d", tt.blocks, tt.events), func(t *testing.T) {
			h := block.Header{}
			for i := range tt.events {
				h.Add(block.Event{
					Type: []string{"user.login", "user.logout", "metric.cpu"}[i%3], Source: "shop",
					Severity: []severity.Number{severity.Info, severity.Error}[i%2], Timestamp: int64(i), Estimated: 1,
				})
			}
			before := heap()
			x := index.New(1)
			for seq := range tt.blocks {
				x.Add(index.Block{Seq: uint64(seq) + 1, Header: &h})
			}
			used := heap() - before
			assert.EqualValues(t, tt.blocks*tt.events, x.Totals().Events)
			assert.LessOrEqual(t, used, tt.maxBytes)
			t.Logf("%d bytes, %.3f per event", used, float64(used)/float64(tt.blocks*tt.events))
		})
	}
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
