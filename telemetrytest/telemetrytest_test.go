package telemetrytest_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/telemetrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing is a test that may fail.
type failing struct {
	testing.TB
	message  string
	cleanups []func()
}

func (*failing) Helper()            {}
func (f *failing) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failing) Fatal(args ...any) {
	f.message = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (f *failing) Error(args ...any) { f.message = fmt.Sprint(args...) }

// failure is what test says when it fails.
func failure(t *testing.T, test func(t testing.TB)) string {
	f := &failing{TB: t}
	var wg sync.WaitGroup
	wg.Go(func() { test(f) })
	wg.Wait()
	for i := range f.cleanups {
		f.cleanups[len(f.cleanups)-1-i]()
	}
	return f.message
}

func TestWait(t *testing.T) {
	s := telemetrytest.Start(t)
	r := telemetrytest.Record(t, s)
	require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{"user": "ann"}))
	require.NoError(t, s.Emit(t.Context(), "metric.cpu", nil))
	go func() { _ = s.Emit(t.Context(), "user.logout", nil) }()
	events := r.Wait("user.*", 2, time.Minute)
	require.Len(t, events, 2)
	assert.Equal(t, "ann", events[0].Data["user"])
	assert.Equal(t, "user.logout", events[1].EventType)
	assert.Len(t, r.Events("*"), 3)
	assert.Len(t, s.Events(10), 3, "the recorder takes nothing away")
	assert.Empty(t, r.Wait("nothing", 0, 0))
	r.Never("nothing", 0)
}

func TestFailuresAreReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		message := failure(t, func(t testing.TB) {
			s := telemetrytest.Start(t)
			r := telemetrytest.Record(t, s)
			_ = s.Emit(t.Context(), "user.login", map[string]any{"user": "ann"}, telemetry.WithEventID("e1"),
				telemetry.WithTimestamp(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
			r.Wait("user.*", 2, time.Second)
		})
		assert.Equal(t, `telemetrytest: 1 of 2 events "user.*" after 1s. What came (1):
  {"event_id":"e1","timestamp":"2026-01-02T03:04:05Z","event_type":"user.login","source":"isbl-telemetry","data":{"user":"ann"},"metadata":{}}`, message)

		message = failure(t, func(t testing.TB) {
			telemetrytest.Record(t, telemetrytest.Start(t)).Wait("*", 1, time.Second)
		})
		assert.Equal(t, `telemetrytest: 0 of 1 events "*" after 1s. No event came`, message)

		message = failure(t, func(t testing.TB) {
			s := telemetrytest.Start(t)
			r := telemetrytest.Record(t, s)
			go func() { _ = s.Emit(t.Context(), "alert.fired", nil) }()
			r.Never("alert.*", time.Second)
		})
		assert.Contains(t, message, `there should be no event "alert.*". What came (1):`)

		message = failure(t, func(t testing.TB) {
			telemetrytest.Record(t, telemetrytest.Start(t)).Events("")
		})
		assert.Contains(t, message, `pattern "": a pattern must not be empty`)

		message = failure(t, func(t testing.TB) { telemetrytest.Start(t, telemetry.WithBufferSize(0)) })
		assert.Contains(t, message, "`buffer_size` is 0")
	})
}

func TestLongListsAreCut(t *testing.T) {
	message := failure(t, func(t testing.TB) {
		s := telemetrytest.Start(t)
		r := telemetrytest.Record(t, s)
		for range 30 {
			_ = s.Emit(t.Context(), "user.login", nil)
		}
		r.Wait("user.*", 30, time.Minute)
		r.Wait("*", 31, time.Millisecond)
	})
	assert.Contains(t, message, "What came (30):\n  … 10 earlier\n")
}
