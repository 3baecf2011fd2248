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

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

const stream = "EVENTS"

// load is two collectors' stores on one stream, with senders and live readers on each.
type load struct {
	stores   []*store.Store
	answered sync.Map // ids of events that were answered with success, and the era of their sending
	unsure   sync.Map // ids of events that were sent again after an error: they may be stored twice
	sent     atomic.Int64
	era      atomic.Int64 // counts what removes events
	readers  []*reader
	pages    []*pageReader
	counts   []*countReader
	worker   *worker
	pauses   pauses
	ending   context.CancelFunc
	senders  sync.WaitGroup
	reading  sync.WaitGroup
	stopRead context.CancelFunc
}

func openStore(t testing.TB, s *servers) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Options{
		NATS: &remote.Options{
			Servers: s.urls(), Stream: stream, Replicas: len(s.list), Username: s.user(), Password: s.list[0].config.Password,
			ConnectWait: patience,
		},
		MaxBytes: 64 << 20, Timeout: 15 * time.Second, Logger: zap.NewNop(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, opened.Close()) })
	return opened
}

func startLoad(t *testing.T, s *servers) *load {
	t.Helper()
	l := &load{worker: &worker{held: map[string]hold{}}}
	for range 2 {
		l.stores = append(l.stores, openStore(t, s))
	}
	l.pauses.watch(t, s)
	sending, ending := context.WithCancel(context.Background())
	reading, stopRead := context.WithCancel(context.Background())
	l.ending, l.stopRead = ending, stopRead
	t.Cleanup(func() { ending(); stopRead(); l.senders.Wait(); l.reading.Wait() })
	for i, st := range l.stores {
		r, p, c := &reader{s: st, seen: map[string]int{}}, &pageReader{s: st, l: l}, &countReader{s: st, l: l}
		l.readers, l.pages, l.counts = append(l.readers, r), append(l.pages, p), append(l.counts, c)
		l.reading.Go(func() { r.follow(reading) })
		l.reading.Go(func() { p.run(reading) })
		l.reading.Go(func() { c.run(reading) })
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
		id, era := fmt.Sprint(name, "-", i), l.era.Load()
		l.sent.Add(1)
		for {
			err := s.Append(context.Background(), event(id))
			if err == nil {
				break
			}
			l.unsure.Store(id, true)
			if ctx.Err() != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		l.answered.Store(id, era)
		now := time.Now()
		l.pauses.note(last, now)
		last = now
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

// missing returns an answered event of the era that seen says is not there, or "".
func (l *load) missing(era int64, seen func(id string) bool) (missing string) {
	l.answered.Range(func(id, of any) bool {
		if of.(int64) >= era && !seen(id.(string)) {
			missing = id.(string)
		}
		return missing == ""
	})
	return missing
}

// finish ends the senders, and returns when every reader has what was answered of the era.
func (l *load) finish(t *testing.T, era int64) {
	t.Helper()
	l.ending()
	l.senders.Wait()
	has := func(what string, seen func(id string) bool) {
		assert.Eventually(t, func() bool { return l.missing(era, seen) == "" }, patience, 50*time.Millisecond, "%s has every answered event", what)
	}
	for i := range l.stores {
		has(fmt.Sprint("stream ", i), l.readers[i].has)
		has(fmt.Sprint("page ", i), l.pages[i].has)
	}
	has("the consumer", l.worker.has)
	l.stopRead()
	l.reading.Wait()
}

// check holds all readers to what was answered. Where events were removed, removed is set, and
// readers need only have those of the newest era.
func (l *load) check(t *testing.T, removed bool) {
	t.Helper()
	l.finish(t, l.era.Load())
	for i, r := range l.readers {
		what := fmt.Sprint("store ", i)
		st := r.s.Stats(t.Context())
		assert.Equal(t, st.Recovered+st.Stored+st.Elsewhere, st.Events+st.Evicted+st.Lost, what)
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Failed+st.Unknown, what)
		assert.Equal(t, st.Events, l.counts[i].count(t), what)
		if removed {
			continue
		}
		assert.Empty(t, r.gaps, what)
		for id, n := range r.seen {
			if _, unsure := l.unsure.Load(id); n > 1 && !unsure {
				assert.Fail(t, "an event is there twice", "%s: %s", what, id)
				break
			}
		}
		assert.Empty(t, l.pages[i].wrong, what)
		assert.Empty(t, l.counts[i].wrong, what)
		assert.Zero(t, st.Lost, what)
	}
	if !removed {
		assert.Empty(t, l.worker.wrong)
	}
	assert.Equal(t, l.stores[0].Stats(t.Context()).Generation, l.stores[1].Stats(t.Context()).Generation)
	assert.Equal(t, everything(t, l.stores[0]), everything(t, l.stores[1]), "the same cursors at both")
}

// everything is all events of a store with their cursors.
func everything(t *testing.T, s *store.Store) (list []string) {
	t.Helper()
	var after store.Cursor
	for more := true; more; {
		page, err := s.Read(t.Context(), store.Query{After: after, Limit: 1000})
		require.NoError(t, err)
		require.True(t, page.Gap == nil || after.IsZero(), "a gap")
		for _, e := range page.Entries {
			list = append(list, e.Ref().EventID()+" "+e.Cursor.String())
		}
		after, more = page.Next, page.More
	}
	return list
}

// goOn is where a client goes on after an error of reading.
func goOn(err error, after store.Cursor) store.Cursor {
	if gone := new(store.CursorError); errors.As(err, &gone) && gone.Reason != store.ReasonAhead {
		return gone.Oldest
	}
	time.Sleep(20 * time.Millisecond)
	return after
}
