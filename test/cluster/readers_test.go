package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
)

// reader follows a store from its start, as a stream of the API does.
type reader struct {
	s    *store.Store
	mu   sync.Mutex
	seen map[string]int
	gaps []store.Gap
}

func (r *reader) follow(ctx context.Context) {
	after := r.s.Start()
	for ctx.Err() == nil {
		changed := r.s.Changed()
		page, err := r.s.Read(ctx, store.Query{After: after, Limit: 500})
		if err != nil { // a client connects again
			after = goOn(err, after)
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

func (r *reader) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[id] > 0
}

// pageReader reads all that a store has, again and again: each time it is what it was before, and
// more.
type pageReader struct {
	s     *store.Store
	l     *load
	mu    sync.Mutex
	list  []string
	known map[string]bool
	wrong string // the first thing that was
}

func (p *pageReader) run(ctx context.Context) {
	for ctx.Err() == nil {
		if list, err := p.read(ctx); err == nil {
			p.note(list)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p *pageReader) read(ctx context.Context) (list []string, err error) {
	var after store.Cursor
	for {
		page, err := p.s.Read(ctx, store.Query{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		if page.Gap != nil && !after.IsZero() {
			list = append(list, "a gap")
		}
		for _, e := range page.Entries {
			list = append(list, e.Ref().EventID())
		}
		if after = page.Next; !page.More {
			return list, nil
		}
	}
}

func (p *pageReader) note(list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, id := range p.list {
		if p.wrong == "" && (i >= len(list) || list[i] != id) {
			p.wrong = fmt.Sprintf("%s was the %dth of %d events, which are %d now", id, i, len(p.list), len(list))
		}
	}
	p.list, p.known = list, map[string]bool{}
	for _, id := range list {
		p.known[id] = true
	}
}

func (p *pageReader) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[id]
}

// countReader counts what a store has, as a histogram does, again and again: never less than
// before, nor more than was sent.
type countReader struct {
	s     *store.Store
	l     *load
	last  uint64
	wrong string
}

func (c *countReader) run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := c.read(ctx)
		resent := uint64(0)
		c.l.unsure.Range(func(_, _ any) bool { resent += 10; return true })
		if err == nil && c.wrong == "" && (n < c.last || n > uint64(c.l.sent.Load())+resent) {
			c.wrong = fmt.Sprintf("%d events are counted, %d were before, %d were sent", n, c.last, c.l.sent.Load())
		}
		if err == nil {
			c.last = n
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *countReader) read(ctx context.Context) (n uint64, err error) {
	_, err = c.s.Count(ctx, store.CountQuery{By: store.BySource}, func(part store.Count) bool {
		n += part.Events
		return true
	})
	return n, err
}

func (c *countReader) count(t *testing.T) uint64 {
	t.Helper()
	n, err := c.read(t.Context())
	require.NoError(t, err)
	return n
}

// worker is a consumer with two workers at each store. It notes what no lease explains.
type worker struct {
	mu    sync.Mutex
	held  map[string]hold
	again int // events that were delivered more than once
	wrong []string
}

// hold is a delivery of an event.
type hold struct {
	until time.Time // end of its lease
	done  bool      // it was acknowledged
}

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
		l.worker.got(l, got.ids, b.Deadline)
		for b.Lease != "" && ctx.Err() == nil {
			_, err := c.Ack(ctx, "work", consumer.Ack{Lease: b.Lease})
			if err == nil {
				l.worker.acknowledged(got.ids)
			}
			if err == nil || errors.Is(err, consumer.ErrLeaseLost) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (w *worker) got(l *load, ids []string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		h, before := w.held[id]
		if _, unsure := l.unsure.Load(id); before {
			w.again++
			switch {
			case unsure: // it may be another one
			case h.done:
				w.wrong = append(w.wrong, id+" was acknowledged, and is delivered again")
			case h.until.After(time.Now()):
				w.wrong = append(w.wrong, id+" is with another worker")
			}
		}
		w.held[id] = hold{until: until, done: h.done}
	}
}

func (w *worker) acknowledged(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.held[id] = hold{done: true}
	}
}

func (w *worker) has(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[id] != hold{}
}
