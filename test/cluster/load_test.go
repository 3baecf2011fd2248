package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

const stream = "EVENTS"

// load is two collectors' stores on one stream, with senders and live readers on each.
type load struct {
	stores   []*store.Store
	answered sync.Map // ids of events that were answered with success
	sent     atomic.Int64
	readers  []*reader
	worker   *worker
	pause    atomic.Int64 // the longest time without an answer, in nanoseconds
	ending   context.CancelFunc
	senders  sync.WaitGroup
	reading  sync.WaitGroup
	stopRead context.CancelFunc
}

// reader follows a store from its start, as a stream of the API does.
type reader struct {
	s    *store.Store
	mu   sync.Mutex
	seen map[string]int
	gaps []store.Gap
}

// worker is a consumer, with one worker at each store.
type worker struct {
	mu        sync.Mutex
	delivered map[string]int
}

func startLoad(t *testing.T, s *servers, replicas int) *load {
	t.Helper()
	l := &load{worker: &worker{delivered: map[string]int{}}}
	for range 2 {
		opened, err := store.Open(t.Context(), store.Options{
			NATS:     &remote.Options{Servers: s.urls(), Stream: stream, Replicas: replicas},
			MaxBytes: 64 << 20, Timeout: 15 * time.Second, Logger: zap.NewNop(),
		})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, opened.Close()) })
		l.stores = append(l.stores, opened)
	}
	sending, ending := context.WithCancel(context.Background())
	reading, stopRead := context.WithCancel(context.Background())
	l.ending, l.stopRead = ending, stopRead
	t.Cleanup(func() { ending(); stopRead(); l.senders.Wait(); l.reading.Wait() })
	for i, st := range l.stores {
		r := &reader{s: st, seen: map[string]int{}}
		l.readers = append(l.readers, r)
		l.reading.Go(func() { r.follow(reading) })
		for j := range 2 {
			l.senders.Go(func() { l.send(sending, st, fmt.Sprintf("%d-%d", i, j)) })
		}
	}
	l.consume(reading, t)
	return l
}

// send stores one event after another. A sender that gets an error sends the same event again.
func (l *load) send(ctx context.Context, s *store.Store, name string) {
	last := time.Now()
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprint(name, "-", i)
		l.sent.Add(1)
		if s.Append(context.Background(), event(id)) == nil {
			l.answered.Store(id, true)
			if pause := int64(time.Since(last)); pause > l.pause.Load() {
				l.pause.Store(pause)
			}
			last = time.Now()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func event(id string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "test")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName("test.event")
	lr.SetTimestamp(1)
	lr.Attributes().PutStr("log.record.uid", id)
	return ld
}

func (r *reader) follow(ctx context.Context) {
	after := r.s.Start()
	for ctx.Err() == nil {
		changed := r.s.Changed()
		page, err := r.s.Read(ctx, store.Query{After: after, Limit: 500})
		if err != nil { // a client connects again
			time.Sleep(20 * time.Millisecond)
			continue
		}
		r.note(page)
		after = page.Next
		if page.More || len(page.Entries) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (r *reader) note(page store.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if page.Gap != nil {
		r.gaps = append(r.gaps, *page.Gap)
	}
	for _, e := range page.Entries {
		r.seen[e.Ref().EventID()]++
	}
}

// misses returns an answered event that the reader has not seen, or "".
func (r *reader) misses(l *load) (missing string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.answered.Range(func(id, _ any) bool {
		if r.seen[id.(string)] == 0 {
			missing = id.(string)
		}
		return missing == ""
	})
	return missing
}

// consume runs a consumer with two workers at each store.
func (l *load) consume(ctx context.Context, t *testing.T) {
	t.Helper()
	for i, st := range l.stores {
		consumers := consumer.New(st)
		t.Cleanup(consumers.Close)
		if i == 0 {
			_, err := consumers.Put(t.Context(), "work", consumer.DefaultDefinition())
			require.NoError(t, err)
		}
		for range 2 {
			l.reading.Go(func() { l.work(ctx, consumers) })
		}
	}
}

// batch takes what a worker gets.
type batch struct{ ids []string }

func (b *batch) Reset() { b.ids = nil }

func (b *batch) Add(e *store.Entry) bool {
	b.ids = append(b.ids, e.Ref().EventID())
	return false
}

func (l *load) work(ctx context.Context, c *consumer.Consumers) {
	for ctx.Err() == nil {
		var got batch
		b, err := c.Fetch(ctx, "work", consumer.Fetch{Limit: 20, Wait: time.Second, Done: ctx.Done(), To: &got})
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		l.worker.note(got.ids)
		for b.Lease != "" && ctx.Err() == nil {
			if _, err := c.Ack(ctx, "work", consumer.Ack{Lease: b.Lease}); err == nil || errors.Is(err, consumer.ErrLeaseLost) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (w *worker) note(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.delivered[id]++
	}
}

func (w *worker) misses(l *load) (missing string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.answered.Range(func(id, _ any) bool {
		if w.delivered[id.(string)] == 0 {
			missing = id.(string)
		}
		return missing == ""
	})
	return missing
}

// stored returns how many events have been answered with success.
func (l *load) stored() (n int) {
	l.answered.Range(func(_, _ any) bool { n++; return true })
	return n
}

// goesOn returns when both stores have answered some more events.
func (l *load) goesOn(t *testing.T) {
	t.Helper()
	before := l.stored()
	require.Eventually(t, func() bool { return l.stored() >= before+50 }, patience, 10*time.Millisecond, "events are stored")
}

// check ends the senders and holds every reader to what was answered.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.ending()
	l.senders.Wait()
	for i, r := range l.readers {
		assert.Eventually(t, func() bool { return r.misses(l) == "" }, patience, 20*time.Millisecond, "reader %d has every answered event", i)
	}
	assert.Eventually(t, func() bool { return l.worker.misses(l) == "" }, patience, 50*time.Millisecond, "the consumer has every answered event")
	l.stopRead()
	l.reading.Wait()
	for i, r := range l.readers {
		assert.Empty(t, r.misses(l))
		assert.Empty(t, r.gaps, "reader %d", i)
		for id, n := range r.seen {
			if !assert.Equal(t, 1, n, "event %s at reader %d", id, i) {
				break
			}
		}
		st := r.s.Stats(t.Context())
		assert.Zero(t, st.Lost)
		assert.Equal(t, st.Recovered+st.Stored+st.Elsewhere, st.Events+st.Evicted+st.Lost)
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Failed+st.Unknown)
	}
	assert.Equal(t, l.stores[0].Stats(t.Context()).Generation, l.stores[1].Stats(t.Context()).Generation)
	twice := 0
	for _, n := range l.worker.delivered {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d events answered, %d delivered more than once, longest pause %v",
		l.stored(), twice, time.Duration(l.pause.Load()).Round(time.Millisecond))
}
