package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/when"
)

// By is what events are counted by.
type By int

// What events are counted by. The category is the first segment of the event type.
const (
	ByType By = iota
	ByCategory
	BySource
	// BySeverity counts by the name of the severity, without its step; events without a severity
	// have the name "".
	BySeverity
)

// CountQuery says which events to count, and how.
type CountQuery struct {
	// Filter chooses the events; nil chooses all.
	Filter *predicate.Predicate
	By     By
	// Buckets cut the event time; the zero Buckets count all times together.
	Buckets when.Buckets
}

// Count is how many events of one name there are in one bucket.
type Count struct {
	Name string
	// Start is when the bucket starts, in nanoseconds since 1970; 0 without Buckets.
	Start int64
	block.Count
}

// ErrTooManyCounts means that there is no room for another Count.
var ErrTooManyCounts = errors.New("too many counts")

// Count counts events. It calls add for parts of the counts, in no order, until that returns false.
// What lies in one bucket as a whole is counted from the index; blocks are opened only where that
// does not tell. A Name that add keeps must be copied. Errors: ErrTooManyCounts when add returned
// false, ErrClosed, the context's, and those of the connection.
func (s *Store) Count(ctx context.Context, q CountQuery, add func(Count) bool) (Failures, error) {
	if s.closed.Load() {
		return Failures{}, ErrClosed
	}
	c := counter{q: q, filter: newFilter(q.Filter), take: add}
	for seq := uint64(1); ; {
		run, ok := s.index.Run(seq, &c.filter.index)
		if !ok {
			return c.failures, nil
		}
		if err := ctx.Err(); err != nil {
			return Failures{}, err
		}
		if !c.addRun(&run) {
			if err := s.countEvents(ctx, &c, run.First, run.Last); err != nil {
				return Failures{}, err
			}
		}
		if c.full {
			return Failures{}, ErrTooManyCounts
		}
		seq = run.Last + 1
	}
}

// countEvents opens the blocks from first to last. What went away meanwhile, or is damaged,
// does not count.
func (s *Store) countEvents(ctx context.Context, c *counter, first, last uint64) error {
	for first <= last {
		blocks, err := s.fetch(ctx, &c.filter, first, last)
		if err != nil {
			return err
		}
		for _, b := range blocks {
			if b.events == nil {
				continue
			}
			if err := c.filter.visit(ctx, b.events, &c.failures, c.addEvent); err != nil {
				return err
			}
			if c.full {
				return ErrTooManyCounts
			}
		}
		first += uint64(max(len(blocks), 1))
	}
	return nil
}

// counter gathers counts.
type counter struct {
	q      CountQuery
	filter filter
	take   func(Count) bool
	full   bool // take has no room

	failures Failures
}

// addRun counts a run if what is known of it is enough: it lies in one bucket, within the
// bounds of time, and either all of its events match in what they are not counted by, or
// none does.
func (c *counter) addRun(r *index.Run) bool {
	if !c.filter.ByBlock() {
		return false
	}
	counted, known := r.Types, r.KnownTypes
	other, otherKnown, otherMatches := r.Sources, r.KnownSources, c.filter.index.Source
	matches := c.filter.index.Type
	if c.q.By == BySource {
		counted, known, other, otherKnown = r.Sources, r.KnownSources, r.Types, r.KnownTypes
		matches, otherMatches = c.filter.index.Source, c.filter.index.Type
	}
	if c.q.By == BySeverity && !r.KnownSeverities {
		return false
	}
	if !known || c.q.Buckets.Start(r.Lowest) != c.q.Buckets.Start(r.Highest) || !c.filter.withinBounds(r.Lowest, r.Highest) {
		return false
	}
	if otherMatches != nil && (!otherKnown || slices.ContainsFunc(other, func(n block.NameCount) bool { return !otherMatches(n.Name) })) {
		return false
	}
	for _, n := range counted {
		if matches == nil || matches(n.Name) {
			name := n.Name
			if c.q.By == BySeverity {
				name = n.Severity.Name()
			}
			c.add(r.Lowest, name, n.Count)
		}
	}
	return true
}

func (c *counter) addEvent(ref eventlog.Ref) {
	name := ref.EventType()
	switch c.q.By {
	case BySource:
		name = ref.Source()
	case BySeverity:
		name = severity.Number(ref.Record.SeverityNumber()).Name()
	}
	c.add(int64(ref.Record.Timestamp()), name, block.Count{Events: 1, Estimated: ref.AdjustedCount()})
}

func (c *counter) add(timestamp int64, name string, n block.Count) {
	if c.q.By == ByCategory {
		name, _, _ = strings.Cut(name, ".")
	}
	c.full = c.full || !c.take(Count{Name: name, Start: c.q.Buckets.Start(timestamp), Count: n})
}

// withinBounds says whether all times from lowest to highest are within Since and Until.
func (f *filter) withinBounds(lowest, highest int64) bool {
	since, until := f.index.Since, f.index.Until
	return (since.IsZero() || lowest >= since.UnixNano()) && (until.IsZero() || highest < until.UnixNano())
}
