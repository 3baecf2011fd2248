package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// history is what clients did in a short run, and when.
type history struct {
	mu      sync.Mutex
	appends map[string]*appended
	reads   []observed
}

// appended is the storing of an event. The order of all events has to respect their times.
type appended struct {
	begun, ended time.Time
	store        int
	answered     bool
	refused      bool // it is certain that it is not stored
}

// observed is a reading of all events.
type observed struct {
	begun time.Time
	store int
	ids   []string
	// calm says that both stores are in step: it has to have all that its store answered. During a
	// fault an answer does not wait longer than a second for the index.
	calm bool
}

// Histories of short runs with random faults are linearizable: an event that was answered before
// another began is earlier in the order, every reading is a beginning of that order, and it has
// what its collector answered before it began. CLUSTER=all makes many; HISTORIES says how many.
func TestHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers for many runs")
	}
	t.Parallel()
	runs, workers := 2, 1
	if os.Getenv("CLUSTER") == "all" {
		runs, workers = 1000, 4
	}
	if n, err := strconv.Atoi(os.Getenv("HISTORIES")); err == nil {
		runs = n
	}
	for w := range workers {
		t.Run(fmt.Sprint("cluster ", w), func(t *testing.T) {
			t.Parallel()
			s := startWired(t, 3)
			js := s.connect(t)
			for i := range runs / workers {
				seed := uint64(w*runs + i)
				t.Run(fmt.Sprint("run ", seed), func(t *testing.T) { runHistory(t, s, js, seed) })
				if t.Failed() {
					return
				}
			}
		})
	}
}

func runHistory(t *testing.T, s *servers, js jetstream.JetStream, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 19))
	stores := []*store.Store{openStore(t, s), openStore(t, s)}
	defer func() { // the next run has a stream of its own
		for _, name := range []string{stream, "KV_" + stream + "_consumers"} {
			require.Eventually(t, func() bool {
				err := js.DeleteStream(t.Context(), name)
				return err == nil || errors.Is(err, jetstream.ErrStreamNotFound)
			}, patience, 50*time.Millisecond)
		}
	}()
	h := &history{appends: map[string]*appended{}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	for i, st := range stores {
		for c := range 3 {
			wg.Go(func() { h.append(ctx, st, i, fmt.Sprintf("%d-%d-%d", seed, i, c)) })
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				h.read(ctx, st, i, false)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	h.goesOn(t, 20)
	name := disturb(t, r, s, js)
	h.goesOn(t, 20)
	stop()
	wg.Wait()
	opened := openStore(t, s) // has everything
	inStep := func() bool { return stores[0].End() == opened.End() && stores[1].End() == opened.End() }
	require.Eventually(t, inStep, patience, 10*time.Millisecond, name)
	for i, st := range stores {
		require.Eventually(t, func() bool { return h.read(t.Context(), st, i, true) }, patience, 10*time.Millisecond, name)
	}
	require.NoError(t, h.check(everyID(t, opened)), "seed %d: %s", seed, name)
	s.roles(t, js, stream) // the next fault begins with servers that are all there
}

// disturb does one thing to the servers, and says which.
func disturb(t *testing.T, r *rand.Rand, s *servers, js jetstream.JetStream) string {
	t.Helper()
	ns := s.list[r.IntN(len(s.list))]
	short := time.Duration(r.IntN(2500)) * time.Millisecond
	switch what := r.IntN(12); {
	case what < 4:
		_, _ = js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, time.Second) // or there is none just now
		return "step-down"
	case what < 6:
		ns.hold(short)
		return fmt.Sprintf("SIGSTOP of %s for %v", ns.config.Name, short)
	case what < 8:
		ns.cut(short, true)
		return fmt.Sprintf("cut of %s from everybody for %v", ns.config.Name, short)
	case what < 10:
		ns.cut(short, false)
		return fmt.Sprintf("cut of %s from its peers for %v", ns.config.Name, short)
	case what == 10:
		ns.end(syscall.SIGTERM)
		ns.start(t)
		return "restart of " + ns.config.Name
	default:
		ns.end(syscall.SIGKILL)
		ns.start(t)
		return "kill -9 of " + ns.config.Name
	}
}

func (h *history) append(ctx context.Context, s *store.Store, at int, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprint(name, "-", i)
		a := &appended{begun: time.Now(), store: at}
		h.mu.Lock()
		h.appends[id] = a
		h.mu.Unlock()
		err := s.Append(context.Background(), event(id))
		h.mu.Lock()
		a.ended, a.answered = time.Now(), err == nil
		a.refused = err != nil && !errors.Is(err, store.ErrUnknownOutcome)
		h.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

// read reads all events, and reports whether it could.
func (h *history) read(ctx context.Context, s *store.Store, at int, calm bool) bool {
	o := observed{begun: time.Now(), store: at, calm: calm}
	p := pageReader{s: s}
	var err error
	if o.ids, err = p.read(ctx); err != nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, o)
	return true
}

// goesOn returns when n more events were answered.
func (h *history) goesOn(t *testing.T, n int) {
	t.Helper()
	answered := func() (n int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, a := range h.appends {
			if a.answered {
				n++
			}
		}
		return n
	}
	n += answered()
	require.Eventually(t, func() bool { return answered() >= n }, patience, 5*time.Millisecond)
}

func everyID(t *testing.T, s *store.Store) (ids []string) {
	t.Helper()
	p := pageReader{s: s}
	ids, err := p.read(t.Context())
	require.NoError(t, err)
	return ids
}

// check holds the history to the order of all events.
func (h *history) check(order []string) error {
	place := map[string]int{}
	var newest time.Time // the latest beginning of an event so far
	for i, id := range order {
		a := h.appends[id]
		switch {
		case a == nil:
			return fmt.Errorf("%s is there, and nobody sent it", id)
		case a.refused:
			return fmt.Errorf("%s is there, and was answered as not stored", id)
		case a.answered && a.ended.Before(newest):
			return fmt.Errorf("%s was answered before an event began that comes earlier in the order", id)
		}
		if _, twice := place[id]; twice {
			return fmt.Errorf("%s is there twice", id)
		}
		if place[id] = i; a.begun.After(newest) {
			newest = a.begun
		}
	}
	for id, a := range h.appends {
		if _, there := place[id]; a.answered && !there {
			return fmt.Errorf("%s was answered, and is not there", id)
		}
	}
	for _, o := range h.reads {
		if len(o.ids) > len(order) {
			return fmt.Errorf("%d events were read, and there are %d", len(o.ids), len(order))
		}
		for i, id := range o.ids {
			if order[i] != id {
				return fmt.Errorf("%s was read as the %dth event, which is %s", id, i, order[i])
			}
		}
		for id, a := range h.appends {
			if o.calm && a.answered && a.store == o.store && a.ended.Before(o.begun) && place[id] >= len(o.ids) {
				return fmt.Errorf("%s was answered, and not read afterwards", id)
			}
		}
	}
	return nil
}

// The checker finds what it is for.
func TestHistoryCheck(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	h := &history{appends: map[string]*appended{
		"a": {begun: at(1), ended: at(2), answered: true},
		"b": {begun: at(3), ended: at(4), answered: true},
		"c": {begun: at(3), ended: at(9)}, // its outcome is not known
		"d": {begun: at(3), ended: at(5), refused: true},
	}}
	for _, order := range [][]string{{"a", "b"}, {"a", "b", "c"}, {"a", "c", "b"}} {
		require.NoError(t, h.check(order), order)
	}
	for _, order := range [][]string{{"b", "a"}, {"a"}, {"a", "b", "b"}, {"a", "b", "d"}, {"a", "b", "e"}, {"c", "a", "b"}} {
		require.Error(t, h.check(order), order)
	}
	h.reads = []observed{{ids: []string{"a"}, begun: at(3), calm: true}}
	require.NoError(t, h.check([]string{"a", "b"}))
	for _, o := range []observed{{ids: []string{"b"}}, {ids: []string{"a"}, begun: at(6), calm: true}, {ids: []string{"a", "b", "c"}}} {
		h.reads = []observed{o}
		require.Error(t, h.check([]string{"a", "b"}), o)
	}
}
