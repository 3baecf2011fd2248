package catalogue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

// events makes some with data by their number.
func events(n int, data func(i int) map[string]any) []event.Event {
	all := make([]event.Event, n)
	for i := range all {
		all[i] = event.Event{EventID: fmt.Sprint(i), EventType: "user.login", Source: "shop", Timestamp: time.Unix(int64(i), 0).UTC(), Data: data(i)}
	}
	return all
}

// reader reads from all, and counts how often.
func reader(all *[]event.Event, reads *int) Read {
	return func(_ context.Context, _ string, newestFirst bool, limit int) ([]event.Event, error) {
		*reads++
		found := slices.Clone(*all)
		if newestFirst {
			slices.Reverse(found)
		}
		return found[:min(limit, len(found))], nil
	}
}

func TestFields(t *testing.T) {
	all := events(40, func(i int) map[string]any {
		data := map[string]any{"user": map[string]any{"id": int64(1<<62 + i)}, "ratio": 0.5, "tags": []any{"a"}, "empty": map[string]any{}}
		if i%4 == 0 {
			data["note"] = strings.Repeat("x", 1000)
		}
		return data
	})
	var reads int
	got, err := New(reader(&all, &reads)).Describe(t.Context(), "user.login", 40)
	require.NoError(t, err)
	assert.Equal(t, 40, got.Sampled, "events among the oldest and the newest count once")
	assert.Equal(t, []string{"shop"}, got.Sources)
	assert.Equal(t, time.Unix(0, 0).UTC(), *got.First)
	assert.Equal(t, time.Unix(39, 0).UTC(), *got.Last)
	byPath := map[string]Field{}
	for _, f := range got.Fields {
		byPath[f.Path] = f
		assert.Empty(t, f.Change, f.Path)
	}
	assert.Len(t, byPath, 5)
	id := byPath["user.id"]
	assert.Equal(t, map[string]int{"int": 40}, id.Kinds)
	assert.Equal(t, []any{int64(1 << 62), int64(1<<62 + 39)}, []any{id.Min, id.Max}, "integers are exact")
	assert.Equal(t, 40, id.Distinct)
	assert.Len(t, id.Values, maxValues)
	assert.InDelta(t, 0.25, byPath["note"].Share, 0)
	assert.Less(t, len(byPath["note"].Values[0].Value), maxShown+10)
	assert.Equal(t, []Value{{"0.5", 40}}, byPath["ratio"].Values)
	assert.Equal(t, map[string]int{"list": 40}, byPath["tags"].Kinds)
	assert.Equal(t, map[string]int{"map": 40}, byPath["empty"].Kinds)
}

func TestChanges(t *testing.T) {
	all := events(60, func(i int) map[string]any {
		if i < 30 {
			return map[string]any{"id": int64(i), "gone": true, "same": "x", "rare": nil}
		}
		return map[string]any{"id": fmt.Sprint(i), "came": true, "same": "x", "rare": nil}
	})
	var reads int
	got, err := New(reader(&all, &reads)).Describe(t.Context(), "user.login", 60)
	require.NoError(t, err)
	changes := map[string]string{}
	for _, f := range got.Fields {
		changes[f.Path] = f.Change
	}
	assert.Equal(t, map[string]string{"id": Kind, "gone": Vanished, "came": Appeared, "same": "", "rare": ""}, changes)
}

// A description is used again while nothing came, and for a while when something did.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := events(1, func(int) map[string]any { return nil })
		var reads int
		c := New(reader(&all, &reads))
		describe := func(count uint64) {
			_, err := c.Describe(t.Context(), "user.login", count)
			require.NoError(t, err)
		}
		describe(1)
		require.Equal(t, 2, reads)
		describe(2)
		assert.Equal(t, 2, reads)
		time.Sleep(fresh) // of the bubble's clock
		describe(1)
		assert.Equal(t, 2, reads)
		describe(2)
		assert.Equal(t, 4, reads)
		time.Sleep(kept)
		describe(2)
		assert.Equal(t, 6, reads)
	})
}

// However many fields there are, the answer is bounded, and says what it leaves out.
func TestBounds(t *testing.T) {
	all := events(30, func(i int) map[string]any {
		data := map[string]any{}
		for j := range 500 {
			data[fmt.Sprintf("k%d.%d", i, j)] = j
		}
		return data
	})
	var reads int
	got, err := New(reader(&all, &reads)).Describe(t.Context(), "user.login", 30)
	require.NoError(t, err)
	assert.Len(t, got.Fields, maxFields)
	assert.Positive(t, got.MoreFields)

	failing := errors.New("closed")
	_, err = New(func(context.Context, string, bool, int) ([]event.Event, error) { return nil, failing }).Describe(t.Context(), "a", 1)
	require.ErrorIs(t, err, failing)
}

func TestNothingKept(t *testing.T) {
	var all []event.Event
	var reads int
	got, err := New(reader(&all, &reads)).Describe(t.Context(), "user.login", 1)
	require.NoError(t, err)
	assert.Equal(t, Type{Sources: []string{}, Fields: []Field{}}, got)
}
