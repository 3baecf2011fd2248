package store

import (
	"context"
	"time"
)

// Read returns the next events that match, without waiting for new ones. An empty page is no error.
// It ends early, with More set, after two seconds of scanning, before a gap and where its events
// would keep too much memory. Errors: *CursorError, ErrClosed, the context's, and those of the
// connection.
func (s *Store) Read(ctx context.Context, q Query) (Page, error) {
	if s.closed.Load() {
		return Page{}, ErrClosed
	}
	if q.Turn == nil {
		q.Turn = s.NewTurn()
		defer q.Turn.Give()
	}
	if err := q.Turn.Take(ctx); err != nil {
		return Page{}, err
	}
	r := reader{s: s, q: q, filter: s.newFilter(q.Filter), deadline: time.Now().Add(maxScan)}
	r.filter.work = q.Work
	if r.filter.ByContent() || r.filter.ByText() {
		scan, cancel := context.WithDeadline(ctx, r.deadline)
		defer cancel()
		r.late = scan.Done()
	}
	var err error
	if q.Descending {
		err = r.descend(ctx)
	} else {
		err = r.ascend(ctx)
	}
	return r.page, err
}

// reader fills one page.
type reader struct {
	s        *Store
	q        Query
	filter   filter
	deadline time.Time
	reach    int             // see want
	late     <-chan struct{} // closed at the deadline and when the reader leaves; nil where an event takes nanoseconds
	page     Page
	bytes    int // of the blocks that the page keeps in memory
}

// full says whether the page ends here.
func (r *reader) full() bool {
	return len(r.page.Entries) >= r.q.Limit || r.bytes >= maxPageBytes || time.Now().After(r.deadline)
}

// pause lets others read while there is nothing in the page.
func (r *reader) pause(ctx context.Context) error {
	if len(r.page.Entries) > 0 {
		return nil
	}
	return r.q.Turn.pass(ctx)
}

func (r *reader) stop(next Cursor, more bool) error {
	r.page.Next, r.page.More = next, more
	return nil
}

func (r *reader) ascend(ctx context.Context) error {
	x := r.s.index
	first, _ := x.Bounds()
	at := place{seq: first}
	if !r.q.After.IsZero() {
		var err error
		if at, err = r.s.locate(r.q.After); err != nil {
			return err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		at = r.s.normalise(at)
		next, ok := r.skipEvicted(at)
		if !ok {
			return r.stop(r.s.cursor(at), true)
		}
		at = next
		if r.ended(at) {
			return r.stop(r.q.Before, false)
		}
		start := r.q.Work.begin()
		span, last, ok := x.Next(at.seq, &r.filter.index)
		r.q.Work.took(stepIndex, start)
		r.q.Work.leftOut(&span)
		if span.Missing > 0 && !r.gap(ReasonDamage, span.Missing, 0, false) {
			return r.stop(r.s.cursor(at), true)
		}
		if !ok {
			return r.stop(r.s.after(last), false)
		}
		if span.First != at.seq {
			at = place{seq: span.First}
			if r.ended(at) {
				return r.stop(r.q.Before, false)
			}
		}
		if r.s.excludes(&r.filter, span.First, span.Last) {
			r.q.Work.excluded(span.Last - span.First + 1)
			at = place{seq: span.Last + 1}
			continue
		}
		blocks, err := r.s.fetch(ctx, &r.filter, span.First, r.enough(span.First))
		if err != nil {
			return err
		}
		if len(blocks) == 0 && (len(r.page.Entries) > 0 || r.page.Gap != nil) { // evicted meanwhile: a gap
			return r.stop(r.s.cursor(at), true)
		}
		for _, b := range blocks {
			if b.excluded {
				at = place{seq: b.seq + 1}
				continue
			}
			if b.events == nil {
				events, known := x.Lost(b.seq)
				if !r.gap(ReasonDamage, 1, events, known) {
					return r.stop(r.s.cursor(at), true)
				}
				at = place{seq: b.seq + 1}
				continue
			}
			for i := at.pos; i < len(b.events.Records); i++ {
				if r.ended(place{b.seq, i}) {
					return r.stop(r.q.Before, false)
				}
				if len(r.page.Entries) == r.q.Limit {
					return r.stop(r.s.cursor(place{b.seq, i}), true)
				}
				r.take(ctx, b, i)
				if overdue, err := r.overdue(ctx); err != nil {
					return err
				} else if overdue {
					return r.stop(r.s.cursor(place{b.seq, i + 1}), true)
				}
			}
			at = place{seq: b.seq + 1}
		}
		if r.full() {
			_, last := x.Bounds()
			return r.stop(r.s.after(at.seq-1), at.seq <= last)
		}
		if err := r.pause(ctx); err != nil {
			return err
		}
	}
}

// ended says whether reading has come to Query.Before.
func (r *reader) ended(at place) bool {
	end := r.q.Before
	return !end.IsZero() && (at.seq > end.seq || at.seq == end.seq && at.pos >= int(end.pos))
}

func (r *reader) descend(ctx context.Context) error {
	x := r.s.index
	_, last := x.Bounds()
	at := place{seq: last + 1} // the events before it come next
	if !r.q.After.IsZero() {
		var err error
		if at, err = r.s.locate(r.q.After); err != nil {
			return err
		}
		at.pos = max(at.pos-1, 0) // the cursor names its event, which was read
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		seq := at.seq
		if at.pos == 0 {
			seq--
		}
		start := r.q.Work.begin()
		span, ok := x.Previous(seq, &r.filter.index)
		r.q.Work.took(stepIndex, start)
		r.q.Work.leftOut(&span)
		if span.Missing > 0 && !r.gap(ReasonDamage, span.Missing, 0, false) {
			return r.stop(r.older(at), true)
		}
		if !ok {
			first, _ := x.Bounds()
			return r.stop(r.s.cursor(place{seq: first}), false)
		}
		if span.Last != at.seq {
			at = place{seq: span.Last + 1}
		}
		if r.s.excludes(&r.filter, span.First, span.Last) {
			r.q.Work.excluded(span.Last - span.First + 1)
			at = place{seq: span.First}
			continue
		}
		blocks, err := r.fetchLast(ctx, span)
		if err != nil {
			return err
		}
		for i := len(blocks) - 1; i >= 0; i-- {
			b := blocks[i]
			if b.excluded {
				at = place{seq: b.seq}
				continue
			}
			if b.events == nil {
				events, known := x.Lost(b.seq)
				if !r.gap(ReasonDamage, 1, events, known) {
					return r.stop(r.older(at), true)
				}
				at = place{seq: b.seq}
				continue
			}
			from := len(b.events.Records)
			if at.seq == b.seq {
				from = at.pos
			}
			for i := from - 1; i >= 0; i-- {
				if len(r.page.Entries) == r.q.Limit {
					return r.stop(r.older(place{b.seq, i + 1}), true)
				}
				r.take(ctx, b, i)
				if overdue, err := r.overdue(ctx); err != nil {
					return err
				} else if overdue {
					return r.stop(r.older(place{b.seq, i}), true)
				}
			}
			at = place{seq: b.seq}
		}
		if r.full() {
			first, _ := x.Bounds()
			return r.stop(r.older(at), at.seq > first)
		}
		if err := r.pause(ctx); err != nil {
			return err
		}
	}
}

// older names the place from which a descending reader goes on with the events before
// at: a descending cursor names the event that was read last.
func (r *reader) older(at place) Cursor {
	switch n, _, _ := r.s.index.Block(at.seq); {
	case at.pos == 0:
		return r.s.cursor(at)
	case at.pos >= n:
		return r.s.cursor(place{seq: at.seq + 1})
	default:
		return r.s.cursor(place{at.seq, at.pos + 1})
	}
}

// overdue says whether the page has to end after the event that was looked at last. It fails when
// ctx is done.
func (r *reader) overdue(ctx context.Context) (bool, error) {
	select {
	case <-r.late:
		return true, ctx.Err()
	default:
		return false, nil
	}
}

func (r *reader) take(ctx context.Context, b opened, i int) {
	start := r.q.Work.begin()
	matches := r.filter.all || r.filter.matches(ctx, b.events, i, &r.page.Failures)
	if r.q.Work.matched(1, start); !matches {
		return
	}
	if n := len(r.page.Entries); n == 0 || r.page.Entries[n-1].events != b.events {
		r.bytes += b.events.RawBytes
	}
	r.page.Entries = append(r.page.Entries, Entry{Cursor: r.s.cursor(place{b.seq, i + 1}), events: b.events, at: i})
}

// normalise moves a place at the end of a block to the start of the next.
func (s *Store) normalise(p place) place {
	if n, _, known := s.index.Block(p.seq); known && p.pos > 0 && p.pos >= n {
		return place{seq: p.seq + 1}
	}
	return p
}
