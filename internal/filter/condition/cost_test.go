package condition

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

const (
	// largest is the size of the largest event, in bytes.
	largest = 512 << 10
	// maxCall is how long a function may take on it. Up to 8 ms were measured.
	maxCall = 25 * time.Millisecond
	// attempts are made until one takes no longer: others are for a machine that is busy.
	attempts = 40
)

// timed is whether times are looked at.
var timed = true

func needsTimes(t *testing.T) {
	t.Helper()
	if !timed {
		t.Skip("with the race detector, times mean nothing")
	}
}

type value = pcommon.Value

// eventOf is an event whose attributes v and w are set by set.
func eventOf(set ...func(v value)) eventlog.Ref {
	ld := plog.NewLogs()
	record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	for i, name := range []string{"v", "w"}[:len(set)] {
		set[i](record.Attributes().PutEmpty(name))
	}
	for ref := range eventlog.All(ld) {
		return ref
	}
	panic("no record")
}

// textOf repeats s.
func textOf(s string) func(value, int) {
	return func(v value, size int) { v.SetStr(strings.Repeat(s, size/len(s))) }
}

// hostileValues fill an event up to a size in bytes.
var hostileValues = map[string]func(v value, size int){
	"letters":   textOf("a"),
	"words":     textOf("abcdefgh "),
	"spaces":    textOf(" "),
	"digits":    textOf("9"),
	"escapes":   textOf("\"\\\n\x01"),
	"two bytes": textOf("ſ"),
	"not UTF-8": textOf("\xff"),
	"durations": textOf("1h"),
	"address":   textOf("f:"),
	"decimal":   func(v value, size int) { v.SetStr("0." + strings.Repeat("9", size-6) + "e308") },
	"bytes":     func(v value, size int) { v.SetEmptyBytes().FromRaw(make([]byte, size)) },
	"numbers":   listOf(4, func(i int, v value) { v.SetInt(int64(i % 100)) }),
	"floats":    listOf(11, func(i int, v value) { v.SetDouble(1 / float64(i+3)) }),
	"lists":     listOf(4, func(_ int, v value) { v.SetEmptySlice() }),
	"maps":      listOf(4, func(_ int, v value) { v.SetEmptyMap() }),
	"map": func(v value, size int) {
		raw := map[string]any{}
		for i := range size / 14 {
			raw[strconv.Itoa(i)] = i
		}
		_ = v.FromRaw(raw) // it takes these kinds
	},
	"nested": func(v value, size int) {
		for range 60 {
			v = v.SetEmptyMap().PutEmpty("x")
		}
		textOf("\x01")(v, size)
	},
}

// listOf repeats a value whose encoding has so many bytes.
func listOf(bytes int, set func(i int, v value)) func(value, int) {
	return func(v value, size int) {
		list := v.SetEmptySlice()
		for i := range size / bytes {
			set(i, list.AppendEmpty())
		}
	}
}

// hostileEvents have v and w, both of half the largest size.
func hostileEvents() map[string]eventlog.Ref {
	events := map[string]eventlog.Ref{}
	for name, set := range hostileValues {
		half := func(v value) { set(v, largest/2) }
		events[name] = eventOf(half, half)
	}
	return events
}

// No function takes long on the largest event, whatever its arguments.
func TestNoFunctionTakesLong(t *testing.T) {
	needsTimes(t)
	events := map[string]eventlog.Ref{}
	for name, set := range hostileValues {
		events[name] = eventOf(func(v value) { set(v, largest) })
	}
	arguments := []string{
		``, `V`, `V, V`, `"a", V`, `V, "a"`, `V, "%Y"`, `"2026", "` + strings.Repeat("%c", 100) + `"`, `time, "` + strings.Repeat("%c", 100) + `"`,
		`V, 0, 500000`, `V, V, V`, `V, [V]`, `V, ["10.0.0.0/8"]`, `V, " ſbcdefghijklm"`, `time, V`, `V - 1`,
		`[` + strings.Repeat("V,", 60) + `V]`, `[` + strings.Repeat("V,", 60) + `V], V`, `{"a": V, "b": V}`,
		`V, "a"`, `V, "[a-z]+x"`, `V, "([a-h ]{1,200}x|y)+z"`, `V, "(a|aa|aaa)+$"`, `V, "^(.*a.*b)$"`, `V, "((a*)*)*b"`,
	}
	for _, name := range Functions() {
		t.Run(name, func(t *testing.T) {
			called := false
			for _, list := range arguments {
				text := name + "(" + strings.ReplaceAll(list, "V", `attributes["v"]`) + ") == 1"
				c, err := Parse(text)
				if err != nil {
					continue // it takes other arguments
				}
				called = true
				for what, ref := range events {
					assertQuick(t, c, ref, maxCall, text+" on "+what)
				}
			}
			assert.True(t, called, "no list of arguments fits")
		})
	}
}

// assertQuick evaluates a condition until it takes no longer than limit.
func assertQuick(t *testing.T, c *Condition, ref eventlog.Ref, limit time.Duration, what string) {
	t.Helper()
	var took time.Duration
	for range attempts {
		start := time.Now()
		_, _ = c.Matches(t.Context(), ref)
		if took = time.Since(start); took < limit {
			return
		}
	}
	t.Errorf("%s takes %v", what, took)
}

// What calls no function cannot be interrupted, so as much of it as fits a condition must not take
// long.
func TestNoConditionWithoutFunctionsTakesLong(t *testing.T) {
	needsTimes(t)
	events := hostileEvents()
	for _, comparison := range []string{
		`attributes["v"]==attributes["w"]`, `attributes["v"]=={}`, `attributes["v"]==[]`, `{"x":1}==attributes["v"]`, `attributes==attributes`,
		`attributes["v"]["x"]==1`, `attributes["v"][0]==1`, `attributes["v"]+1==1`, `attributes["v"]<"z"`, `attributes["none"]<0`,
	} {
		c, calls := repeatedCondition(t, comparison)
		for name, ref := range events {
			assertQuick(t, c, ref, 4*maxCall, fmt.Sprintf("%d times %s on %s", calls, comparison, name))
		}
	}
}

// repeatedCondition repeats a comparison as often as fits a condition.
func repeatedCondition(t *testing.T, comparison string) (c *Condition, times int) {
	for times = MaxBytes / len(comparison); ; times-- {
		text := comparison + strings.Repeat(" or "+comparison, times-1)
		if c, err := Parse(text); err == nil {
			return c, times
		}
		require.Greater(t, times, 1, comparison)
	}
}

// Values that are too large for a function leave the event undecided.
func TestTooLargeIsUndecided(t *testing.T) {
	for text, reason := range map[string]string{
		`IsMatch(attributes["v"], "([a-h ]{1,200}x|y)+z")`: "too long for IsMatch with this pattern, which takes up to 2570",
		`Time(attributes["v"], "%Y") > Now()`:              "too long for Time",
		`attributes == resource.attributes`:                "more than 256 values",
		`String(attributes["w"]) == ""`:                    "more than 65536 bytes",
		`IsMatch(attributes["w"], "1")`:                    "more than 65536 bytes",
		`String([attributes["w"]]) == ""`:                  "of the condition is no text",
		`ContainsValue([1], [1])`:                          "not lists",
	} {
		c, err := Parse(text)
		require.NoError(t, err)
		matches, err := c.Matches(t.Context(), eventOf(
			func(v value) { hostileValues["letters"](v, largest/2) },
			func(v value) { hostileValues["numbers"](v, largest/2) },
		))
		require.ErrorContains(t, err, reason, text)
		assert.False(t, matches)
	}
}

func TestAFunctionIsNotCalledWhenTheContextIsDone(t *testing.T) {
	c, err := Parse(`Len(attributes["v"]) == 1`)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ref := eventOf(func(v value) { v.SetStr("x") })
	matches, err := c.Matches(ctx, ref)
	require.NoError(t, err)
	assert.True(t, matches)
	cancel()
	_, err = c.Matches(ctx, ref)
	assert.ErrorIs(t, err, context.Canceled)
}
