package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/isbl/telemetry"
)

// TestStress has 32 emitters, 8 takers, and callbacks that panic, are slow, and come and go; half
// of it after the stop. No event is handed out twice, each is accounted for, and every reading in
// between adds up. TestMain looks for goroutines that are left.
func TestStress(t *testing.T) {
	const emitters, takers, each = 32, 8, 400
	for overflow := range map[telemetry.Overflow]bool{telemetry.DropOldest: true, telemetry.DropNewest: true, telemetry.Reject: true, telemetry.Block: true} {
		t.Run(string(overflow), func(t *testing.T) {
			t.Parallel()
			forwarded := &nowhere{}
			provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewSimpleProcessor(forwarded)))
			s, err := telemetry.New(telemetry.WithBufferSize(64), telemetry.WithOverflow(overflow), telemetry.WithoutEventTypes("*.debug"),
				telemetry.WithSamplingRates(telemetry.SamplingRate{EventType: "metric.*", Rate: 0.5}), telemetry.WithLoggerProvider(provider),
				telemetry.WithLogger(newLogger(io.Discard)))
			require.NoError(t, err)
			slow, err := s.OnEvent("user.*", func(context.Context, telemetry.Event) { <-time.After(time.Millisecond) })
			require.NoError(t, err)
			panicker, err := s.OnEvent("*", func(_ context.Context, e telemetry.Event) { panic(e.EventID) })
			require.NoError(t, err)
			require.NoError(t, s.Start())

			var emitting, rest sync.WaitGroup
			var halfway sync.WaitGroup
			halfway.Add(emitters)
			var handed sync.Map // ids
			var taken, refused atomic.Uint64
			for i := range emitters {
				emitting.Go(func() {
					types := []string{"user.login", "user.debug", "metric.cpu", fmt.Sprint("data.", i)}
					for n := range each {
						if n == each/2 {
							halfway.Done()
						}
						err := s.Emit(t.Context(), types[n%len(types)], map[string]any{"n": n})
						switch {
						case err == nil:
						case errors.Is(err, telemetry.ErrBufferFull), errors.Is(err, telemetry.ErrNotRunning):
							refused.Add(1)
						default:
							assert.NoError(t, err)
						}
					}
				})
			}
			take := func(events []telemetry.Event) {
				for _, e := range events {
					_, twice := handed.LoadOrStore(e.EventID, true)
					assert.False(t, twice, "an event was handed out twice")
					taken.Add(1)
				}
			}
			for i := range takers {
				rest.Go(func() {
					if i%2 == 0 {
						for e := range s.All(t.Context()) {
							take([]telemetry.Event{e})
						}
						return
					}
					for {
						events, err := s.WaitEvents(t.Context(), i)
						take(events)
						if err != nil {
							assert.ErrorIs(t, err, telemetry.ErrStopped)
							return
						}
					}
				})
			}
			rest.Go(func() {
				for s.Stats().Running {
					addsUp(t, s.Stats())
					sub, err := s.OnEvent("data.*", func(context.Context, telemetry.Event) {})
					if err == nil {
						sub.Unsubscribe()
					}
				}
			})
			halfway.Wait()
			require.NoError(t, s.Stop(t.Context()))
			emitting.Wait()
			rest.Wait()

			st := s.Stats()
			addsUp(t, st)
			assert.EqualValues(t, emitters*each, st.Emitted)
			assert.Zero(t, st.Buffered)
			assert.Equal(t, taken.Load(), st.Retrieved)
			told := st.Dropped[telemetry.DroppedNotRunning]
			if overflow != telemetry.DropNewest {
				told += st.Dropped[telemetry.DroppedOverflow]
			}
			assert.Equal(t, refused.Load(), told)
			assert.Equal(t, st.EventTypes["user.debug"].Emitted, st.Filtered+st.EventTypes["user.debug"].Dropped)
			assert.Zero(t, slow.Stats().Queued)
			assert.Equal(t, st.Kept, panicker.Stats().Matched)
			assert.Equal(t, panicker.Stats().Delivered, panicker.Stats().Panics)
			assert.Equal(t, st.Kept, st.Forwarded.Matched)
			assert.EqualValues(t, forwarded.n.Load(), st.Forwarded.Delivered)
			require.NoError(t, provider.Shutdown(t.Context()))
		})
	}
}
