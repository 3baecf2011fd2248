package eventbufferprocessor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

// send sends events that are answered at once.
func (r *running) send(t *testing.T, from, to int) {
	t.Helper()
	began := time.Now()
	require.NoError(t, r.ConsumeLogs(t.Context(), numbered(from, to)))
	require.Zero(t, time.Since(began))
	synctest.Wait()
}

func TestBufferedIsPassedOnInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowBlock, 1000, 10))
		p.send(t, 0, 1) // alone, since nothing else was there
		p.send(t, 1, 5)
		p.send(t, 5, 11) // makes ten with the one before
		p.send(t, 11, 12)
		p.send(t, 12, 22) // does not fit with the one before
		p.send(t, 22, 47) // larger than a batch
		p.send(t, 47, 48)
		assert.Equal(t, uint64(48), p.snapshot(t).Buffered)
		for range 7 {
			next.let <- nil
		}
		synctest.Wait()
		assert.Equal(t, [][]string{
			numbers(0, 1), numbers(1, 11), numbers(11, 12), numbers(12, 22), numbers(22, 32), numbers(32, 42), numbers(42, 48),
		}, next.ids(), "each event once, in order")
		assert.Equal(t, uint64(48), p.snapshot(t).Forwarded)
	})
}

// statuses is a host that remembers what was reported to it.
type statuses struct {
	component.Host
	mu  sync.Mutex
	all []componentstatus.Status
}

func (s *statuses) Report(e *componentstatus.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, e.Status())
}

func (s *statuses) reported() []componentstatus.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func TestBatchIsTriedAgainUntilItIsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		set := processortest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		const outage = 300 // tries, about 25 minutes
		var tries []time.Time
		next := &sink{}
		next.answer = func(_ context.Context, ld plog.Logs) error {
			if idsOf(ld)[0] == "1" {
				tries = append(tries, time.Now())
				if len(tries) < outage {
					return errForNow
				}
			}
			return nil
		}
		host := &statuses{Host: componenttest.NewNopHost()}
		p := create(t, set, next, buffered(overflowBlock, 10, 1))
		require.NoError(t, p.Start(t.Context(), host))
		p.send(t, 0, 4)
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, host.reported())
		assert.Equal(t, uint64(3), p.snapshot(t).Buffered)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, [][]string{{"0"}, {"1"}, {"2"}, {"3"}}, next.ids(), "it stays at the head")
		require.Len(t, tries, outage)
		assert.Less(t, tries[1].Sub(tries[0]), 200*time.Millisecond)
		for i := range tries[1:] {
			assert.Less(t, tries[i+1].Sub(tries[i]), 3*maxRetry/2+1)
		}
		assert.Greater(t, tries[outage-1].Sub(tries[outage-2]), maxRetry/3, "the time between tries grows")
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, host.reported())
		assert.Equal(t, 1, logs.FilterMessageSnippet("trying again").Len(), "once, not for each try")
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestPermanentErrorsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.ErrorLevel)
		set := processortest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		answers := []error{nil, errForGood, refusing(0, 2)(t.Context(), numbered(0, 5)), errors.Join(errForGood, errForNow), nil}
		call := 0
		next := &sink{answer: func(context.Context, plog.Logs) error {
			call++
			return answers[call-1]
		}}
		p := create(t, set, next, buffered(overflowBlock, 100, 5))
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		p.send(t, 0, 25)
		s := p.snapshot(t)
		assert.Equal(t, 5, call)
		assert.Equal(t, uint64(5+2+5), s.Failed)
		assert.Equal(t, uint64(5+3+5), s.Forwarded)
		failed := logs.FilterMessageSnippet("does not take events that were answered").All()
		require.Len(t, failed, 3)
		assert.Equal(t, int64(2), failed[1].ContextMap()["failed_events"])
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestRecordsNestedTooDeepAreRefusedWhileTheOthersAreBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &sink{}
		p := start(t, next, buffered(overflowBlock, 100, 10))
		ld := numbered(0, 3)
		nested(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1))
		var refused *eventlog.Refused
		require.ErrorAs(t, p.ConsumeLogs(t.Context(), ld), &refused)
		assert.Len(t, refused.Records, 1)
		synctest.Wait()
		assert.Equal(t, [][]string{{"0", "2"}}, next.ids())
		s := p.snapshot(t)
		assert.Equal(t, uint64(1), s.Failed)
		assert.Equal(t, uint64(2), s.Forwarded)
	})
}

func TestChangesOfNextAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		next := &sink{mutates: true}
		next.answer = func(_ context.Context, ld plog.Logs) error {
			assert.Equal(t, numbers(0, 3), idsOf(ld))
			if tries++; tries < 3 {
				ld.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
				return errForNow
			}
			return nil
		}
		p := start(t, next, buffered(overflowBlock, 100, 10))
		p.send(t, 0, 3)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 3, tries)
		assert.Equal(t, [][]string{numbers(0, 3)}, next.ids())
	})
}

func TestBufferedBlocksAndRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowBlock, 10, 5))
		p.send(t, 0, 10)
		waits := p.async(t.Context(), 10, 13)
		requireWaiting(t, waits)
		late := p.async(t.Context(), 13, 20)
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(20, 21)), "as many events wait")
		next.let <- nil
		require.NoError(t, <-waits, "answered as soon as it is in the buffer")
		requireOverloaded(t, <-late, "the buffer was full for 10s")
		next.let <- nil
		next.let <- nil
		synctest.Wait()
		assert.Equal(t, numbers(10, 13), next.ids()[2])
		assert.Equal(t, uint64(8), p.snapshot(t).Failed)
	})
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowReject, 10, 5))
		p.send(t, 0, 10)
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(10, 11)), "the buffer is full (buffer_size: 10)")
		next.let <- nil
		synctest.Wait()
		p.send(t, 11, 16)
		next.let <- nil
		next.let <- nil
	})
}

func TestDropNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowDropNewest, 10, 5))
		p.send(t, 0, 8)
		p.send(t, 8, 11) // does not fit
		p.send(t, 11, 13)
		s := p.snapshot(t)
		assert.Equal(t, uint64(3), s.Dropped["overflow"])
		assert.Equal(t, buffers.TypeCounts{Received: 13, Dropped: 3}, s.EventTypes["test.event"])
		next.let <- nil
		next.let <- nil
		synctest.Wait()
		assert.Equal(t, [][]string{numbers(0, 5), append(numbers(5, 8), numbers(11, 13)...)}, next.ids())
	})
}

func TestDropOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowDropOldest, 10, 4))
		p.send(t, 0, 4) // with the next component from here on
		p.send(t, 4, 7)
		p.send(t, 7, 10)
		p.send(t, 10, 14) // 4 to 7 go, all of theirs, and 7 of the next
		s := p.snapshot(t)
		assert.Equal(t, uint64(4), s.Dropped["overflow"])
		assert.Equal(t, uint64(10), s.Buffered)
		assert.Equal(t, buffers.TypeCounts{Received: 14, Dropped: 4}, s.EventTypes["test.event"])

		p.send(t, 14, 21) // more than the next component leaves room for: nothing would help
		assert.Equal(t, uint64(11), p.snapshot(t).Dropped["overflow"])
		p.send(t, 21, 27) // all that wait go
		assert.Equal(t, uint64(17), p.snapshot(t).Dropped["overflow"])

		for range 3 {
			next.let <- nil
		}
		synctest.Wait()
		assert.Equal(t, [][]string{numbers(0, 4), numbers(21, 25), numbers(25, 27)}, next.ids())
	})
}

func TestDropOldestLetsInWhatIsLargerThanTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &sink{}
		p := create(t, processortest.NewNopSettings(metadata.Type), next, buffered(overflowDropOldest, 10, 100))
		p.send(t, 0, 10) // not started: nobody works on it
		p.send(t, 10, 40)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		synctest.Wait()
		assert.Equal(t, uint64(10), p.snapshot(t).Dropped["overflow"])
		assert.Equal(t, [][]string{numbers(10, 40)}, next.ids())
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

// shutdown shuts a processor down, twice, and returns how long the first took.
func shutdown(t *testing.T, p *running, ctx context.Context) time.Duration { //nolint:revive // t goes first in tests
	began := time.Now()
	require.NoError(t, p.Shutdown(ctx))
	took := time.Since(began)
	require.NoError(t, p.Shutdown(ctx))
	return took
}

func TestShutdownOfTheBuffer(t *testing.T) {
	within := func(t *testing.T, d time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		t.Cleanup(cancel)
		return ctx
	}
	tests := []struct {
		name      string
		answer    func(ctx context.Context, ld plog.Logs) error
		deadline  time.Duration // 0: none
		forwarded uint64
		lost      int64
		took      time.Duration
	}{
		{name: "drains", forwarded: 100},
		{
			name: "drains a slow one", answer: func(context.Context, plog.Logs) error { time.Sleep(2 * time.Second); return nil },
			deadline: time.Minute, forwarded: 100, took: 20 * time.Second,
		},
		{
			name: "deadline", answer: func(context.Context, plog.Logs) error { time.Sleep(2 * time.Second); return nil },
			deadline: 5500 * time.Millisecond, forwarded: 30, lost: 70, took: 6 * time.Second,
		},
		{
			name: "fails until the deadline", answer: func(context.Context, plog.Logs) error { return errForNow },
			deadline: 5 * time.Second, lost: 100, took: 5 * time.Second,
		},
		{
			name: "fails, no deadline", answer: func(context.Context, plog.Logs) error { return errForNow },
			lost: 100, took: 30 * time.Second,
		},
		{
			name: "hangs until the deadline", answer: func(ctx context.Context, _ plog.Logs) error { <-ctx.Done(); return ctx.Err() },
			deadline: 5 * time.Second, lost: 100, took: 5 * time.Second,
		},
		{
			name: "hangs", answer: func(context.Context, plog.Logs) error { time.Sleep(time.Hour); return nil },
			deadline: 5 * time.Second, lost: 100, took: 6 * time.Second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.ErrorLevel)
				set := processortest.NewNopSettings(metadata.Type)
				set.Logger = zap.New(core)
				next := &sink{answer: tt.answer}
				p := create(t, set, next, buffered(overflowBlock, 100, 10))
				require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
				require.NoError(t, p.ConsumeLogs(t.Context(), numbered(0, 100)))
				ctx := context.Background()
				if tt.deadline > 0 {
					ctx = within(t, tt.deadline)
				}
				assert.Equal(t, tt.took, shutdown(t, p, ctx))
				said := logs.FilterMessageSnippet("could not be passed on before the time to shut down was over").All()
				if tt.lost == 0 {
					assert.Empty(t, logs.All())
				} else {
					require.Len(t, said, 1)
					assert.Len(t, logs.All(), 1)
					assert.Equal(t, tt.lost, said[0].ContextMap()["events"])
				}
				time.Sleep(2 * time.Hour) // those that hang
				s, _ := p.Logs.(*eventBuffer).buffer.snapshot()
				requireAddsUp(t, s)
				assert.Zero(t, s.Buffered)
				if tt.name != "hangs" { // counted as it came out in the end
					assert.Equal(t, tt.forwarded, s.Forwarded)
					assert.Equal(t, uint64(tt.lost), s.Failed)
				}
				assert.Equal(t, int(s.Forwarded), next.events())
			})
		})
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := create(t, processortest.NewNopSettings(metadata.Type), &sink{}, buffered(overflowBlock, 100, 10))
		require.NoError(t, p.ConsumeLogs(t.Context(), numbered(0, 7)))
		assert.Zero(t, shutdown(t, p, t.Context()))
		s, _ := p.Logs.(*eventBuffer).buffer.snapshot()
		assert.Equal(t, uint64(7), s.Failed)
	})
	synctest.Test(t, func(t *testing.T) {
		p := create(t, processortest.NewNopSettings(metadata.Type), &sink{}, nil)
		assert.Zero(t, shutdown(t, p, t.Context()))
	})
}

func TestShutdownRefusesWhoWaitsForTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, buffered(overflowBlock, 10, 10))
		p.send(t, 0, 10)
		waits := p.async(t.Context(), 10, 11)
		down := make(chan error, 1)
		go func() { down <- p.Shutdown(context.Background()) }()
		requireOverloaded(t, <-waits, "the collector is shutting down")
		next.let <- nil
		require.NoError(t, <-down)
		assert.Equal(t, [][]string{numbers(0, 10)}, next.ids())
	})
}
