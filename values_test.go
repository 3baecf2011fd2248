package telemetry_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/telemetrytest"
)

type order struct {
	ID    int64    `json:"id"`
	Items []string `json:"items,omitempty"`
	Note  *string  `json:"note"`
	inner chan int
}

type brokenError struct{ why *string }

func (b *brokenError) Error() string { return *b.why }

// What Go programs have at hand is taken as it is.
func TestEmitTakesGoValues(t *testing.T) {
	var out bytes.Buffer
	s := telemetrytest.Start(t, telemetry.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	number, text := 7, "x"
	pointer := &number
	require.NoError(t, s.Emit(t.Context(), "a", map[string]any{
		"error": fmt.Errorf("open: %w", errors.ErrUnsupported), "no error": error(nil), "no pointer": (*uuid.UUID)(nil),
		"pointer": &number, "pointers": &pointer, "texts": []*string{&text, nil}, "took": 1500 * time.Millisecond,
		"order": order{ID: math.MaxInt64, Items: []string{"tea"}, inner: make(chan int)}, "orders": []order{{ID: 1}}, "&order": &order{ID: 2},
		"by number": map[int]string{1: "one"}, "struct": struct{}{}, "joined": errors.Join(errors.New("a"), errors.New("b")),
	}))
	assert.Zero(t, s.Stats().ReplacedValues)
	assert.Equal(t, map[string]any{
		"error": "open: unsupported operation", "no error": nil, "no pointer": nil,
		"pointer": int64(7), "pointers": int64(7), "texts": []any{"x", nil}, "took": 1.5,
		"order":  map[string]any{"id": int64(math.MaxInt64), "items": []any{"tea"}, "note": nil},
		"orders": []any{map[string]any{"id": int64(1), "note": nil}}, "&order": map[string]any{"id": int64(2), "note": nil},
		"by number": map[string]any{"1": "one"}, "struct": map[string]any{}, "joined": "a\nb",
	}, s.Events(1)[0].Data)
	assert.Empty(t, out.String())
}

// What stays impossible costs the value, and not the event.
func TestImpossibleValuesAreReplaced(t *testing.T) {
	var out bytes.Buffer
	s := telemetrytest.Start(t, telemetry.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	type chain struct{ Next *chain }
	circle := &chain{}
	circle.Next = circle
	type pointer *pointer
	var itself pointer
	itself = &itself
	cycle := map[string]any{}
	cycle["a"], cycle["b"] = cycle, cycle
	impossible := map[string]any{
		"chan": make(chan int), "func": func() {}, "complex": 1i, "circle": circle, "itself": itself, "cycle": cycle, "panics": &brokenError{},
		"text": badText{}, "big": uint64(math.MaxUint64), "inside": []any{1, make(chan int)}, "struct": struct{ C chan int }{}, "NaN": struct{ F float64 }{math.NaN()},
	}
	for name, v := range impossible {
		require.NoError(t, s.Emit(t.Context(), "a", map[string]any{name: v, "user": "ann"}, telemetry.WithMetadata(map[string]any{name: v})), name)
		e := s.Events(1)[0]
		assert.Equal(t, "ann", e.Data["user"])
		assert.Equal(t, e.Data[name], e.Metadata[name])
		switch name {
		case "big":
			assert.Equal(t, "18446744073709551615", e.Data[name])
		case "inside":
			assert.Equal(t, []any{int64(1), "!VALUE: has a value of type chan int, which an event cannot carry: write it as a string, a number, a list or a map"}, e.Data[name])
		default:
			assert.Contains(t, e.Data[name], "!VALUE: ", name)
		}
		require.NoError(t, eventlog.AppendRecord(plog.NewLogs(), &e), "what Emit takes, the store takes")
	}
	assert.EqualValues(t, 2*len(impossible), s.Stats().ReplacedValues)
	assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("level=WARN")), "the first is logged: %s", &out)
}

func TestTheFirstInvalidEventIsLogged(t *testing.T) {
	var out bytes.Buffer
	s := telemetrytest.Start(t, telemetry.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	for range 3 {
		require.ErrorIs(t, s.Emit(t.Context(), "a", nil, telemetry.WithSource("unknown_service")), telemetry.ErrInvalidEvent)
	}
	assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("level=WARN")), out.String())
	assert.Contains(t, out.String(), "event_type=a")
}

// A Service whose logger is its own handler reports its first invalid event as an event.
func TestLoggerOfTheServiceItself(t *testing.T) {
	var handler slog.Handler
	s := telemetrytest.Start(t, telemetry.WithLogger(slog.New(lateHandler{&handler})))
	handler = s.SlogHandler()
	require.Error(t, s.Emit(t.Context(), "", nil))
	assert.Contains(t, s.Events(1)[0].Data["body"], "since it is invalid")
}
