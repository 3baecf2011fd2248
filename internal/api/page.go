package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// chunk is how many events are read at once: about a block. Events keep the blocks that
	// they came from in memory until they are written, so this and not the limit bounds
	// memory.
	chunk = 1024
	// maxPageBytes is the size at which a page ends before its limit.
	maxPageBytes = 16 << 20
	// maxScan is how long a page looks for events.
	maxScan = 2 * time.Second
)

// servePage answers with one page, which is made whole before it is written: its
// headers tell how it ends.
func (h *Handler) servePage(w http.ResponseWriter, r *http.Request, req *eventsRequest) *problem {
	b := h.newBody(req.format, req.writer)
	defer b.free()
	b.work = req.query.Work
	extendDeadlines(w, r, req.wait+maxScan)
	if err := h.await(r.Context(), req, b); err != nil {
		return h.storeProblem(r, err, req.start.parameter)
	}
	b.send(w, r)
	return nil
}

// await fills b. When there is nothing to tell it waits for a first event, until the
// request's wait is over or the Handler is closed.
func (h *Handler) await(ctx context.Context, req *eventsRequest, b *body) error {
	q, end := req.query, time.Now().Add(req.wait)
	for {
		changed := h.opts.Store.Changed() // before reading, so that nothing is missed
		if err := h.collect(ctx, q, b, b.format.maxBytes); err != nil {
			return err
		}
		left := time.Until(end)
		if b.count > 0 || b.gap != nil || left <= 0 || h.closing.Err() != nil {
			return nil
		}
		q.After = b.next // what was read so far did not match
		if b.more {
			continue
		}
		b.rest()
		select {
		case <-changed:
		case <-time.After(left):
		case <-h.closing.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// collect adds the next events that match to an empty b: up to the query's limit, to
// about maxBytes, to a gap, or as many as two seconds of scanning find.
func (h *Handler) collect(ctx context.Context, q store.Query, b *body, maxBytes int) error {
	if err := b.hold(readingBytes); err != nil {
		return err
	}
	defer func() { _ = b.hold(0) }() // less never fails
	limit, deadline := q.Limit, time.Now().Add(maxScan)
	ahead := readAhead{store: h.opts.Store, turn: h.opts.Store.NewTurn(), next: h.opts.Store.NewTurn()}
	defer ahead.end()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	whole := b.format.blocks && q.Filter.All() && !q.Descending && q.Work == nil
	for {
		q.Limit = min(chunk, limit-b.count)
		if whole {
			blocks, err := h.opts.Store.ReadBlocks(ctx, b.events, q.After, limit-b.count, maxBytes)
			if err != nil {
				return err
			}
			if b.addBlocks(&blocks) {
				if err := b.hold(readingBytes); err != nil {
					return err
				}
				if !b.more || b.count == limit || time.Now().After(deadline) {
					return nil
				}
				q.After = b.next
				continue
			}
			if b.count > 0 && limit == noLimit {
				return nil // the next block has the next page to itself
			}
			if rest := h.opts.Store.RestOfBlock(q.After); rest > 0 {
				q.Limit = min(q.Limit, rest) // and whole blocks again behind it
			}
		}
		page, err := ahead.read(ctx, q)
		if err != nil {
			return err
		}
		if page.Gap != nil && b.count > 0 {
			b.more = true // the gap lies before all events of a page: the next one tells
			return nil
		}
		if rest := limit - b.count - len(page.Entries); page.More && rest > 0 && !whole {
			q.After, q.Limit = page.Next, min(chunk, rest)
			ahead.start(ctx, q)
		}
		more := b.add(&page, maxBytes)
		ahead.turn.Give()
		if b.full && b.count == 0 {
			return budget.ErrFull
		}
		if !more || b.count == limit || time.Now().After(deadline) {
			return nil
		}
		q.After = b.next
	}
}

// readAhead reads the next events of the store while those before are written.
type readAhead struct {
	store *store.Store
	turn  *store.Turn   // of the page that read returned last
	next  *store.Turn   // of the one that start reads
	ready chan struct{} // nil when nothing was started
	page  store.Page
	err   error
}

// start begins to read what read is asked for next, unless other readers wait.
func (a *readAhead) start(ctx context.Context, q store.Query) {
	if !a.next.TryTake() {
		return
	}
	q.Turn = a.next
	ready := make(chan struct{})
	a.ready = ready
	go func() {
		defer close(ready)
		a.page, a.err = a.store.Read(ctx, q)
	}()
}

// read reads a page. The turn is to be given when it is written.
func (a *readAhead) read(ctx context.Context, q store.Query) (store.Page, error) {
	if a.ready == nil {
		q.Turn = a.turn
		return a.store.Read(ctx, q)
	}
	<-a.ready
	a.ready = nil
	a.turn, a.next = a.next, a.turn
	page := a.page
	a.page = store.Page{}
	return page, a.err
}

// end must be called once ctx of start is done.
func (a *readAhead) end() {
	if a.ready != nil {
		<-a.ready
	}
	a.turn.Give()
	a.next.Give()
}

// compact is the JSON of small values of ours, which always have one.
func compact(v any) []byte {
	out, _ := json.Marshal(v)
	return out
}
