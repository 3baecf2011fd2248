package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

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
	Part    Part
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

// Count counts events. It calls add for parts of the counts, in no order and one at a time, until
// that returns false. What lies in one bucket as a whole is counted from the index; blocks are
// opened only where that does not tell, on all cores. A Name that add keeps must be copied. Errors:
// ErrTooManyCounts when add returned false, *CursorError, ErrClosed, the context's, and those of
// the connection.
func (s *Store) Count(ctx context.Context, q CountQuery, add func(Count) bool) (Seen, error) {
	sc, err := s.newScan(q.Filter, q.Part)
	if err != nil {
		return Seen{}, err
	}
	c := counter{q: q, filter: &sc.filter, take: add}
	batches := make([]map[name]block.Count, ScanWorkers())
	known := func(span index.Span) (bool, error) {
		run, ok := s.index.Run(span.First, &sc.filter.index)
		if !ok || run.First > span.Last {
			return true, nil // it was evicted
		}
		if run.Last > span.Last && !q.Part.Before.IsZero() { // a part of it was counted
			return false, nil
		}
		return c.takeRun(&run)
	}
	return sc.run(ctx, known, func(ctx context.Context, worker int, f *filter, span index.Span, failures *Failures) error {
		if batches[worker] == nil {
			batches[worker] = map[name]block.Count{}
		}
		batch := batches[worker]
		if err := s.scanSpan(ctx, f, span, failures, func(ref eventlog.Ref) { c.addEvent(batch, ref) }); err != nil {
			return err
		}
		return c.takeBatch(batch)
	})
}

// name is what a Count is of.
type name struct {
	text  string
	start int64
}

// counter gathers counts.
type counter struct {
	q      CountQuery
	filter *filter
	mu     sync.Mutex // held while take is called
	take   func(Count) bool
	full   bool // take has no room
}

// takeRun takes the counts of a run that is known well enough.
func (c *counter) takeRun(r *index.Run) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ok := c.addRun(r)
	return ok, c.room()
}

// takeBatch takes the counts that were gathered, and empties the batch.
func (c *counter) takeBatch(batch map[name]block.Count) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, count := range batch {
		c.full = c.full || !c.take(Count{Name: n.text, Start: n.start, Count: count})
	}
	clear(batch)
	return c.room()
}

func (c *counter) room() error {
	if c.full {
		return ErrTooManyCounts
	}
	return nil
}

// addRun counts a run if what is known of it is enough: it lies in one bucket, within the
// bounds of time, and either all of its events match in what they are not counted by, or
// none does.
func (c *counter) addRun(r *index.Run) bool {
	least := c.filter.MinSeverity()
	switch {
	case c.filter.ByText() || c.filter.ByContent():
		return false
	case least != 0 && (c.q.By == BySource || !r.KnownSeverities || least != least.Base()):
		return false // the index knows severities without their steps
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
	if least != 0 && slices.ContainsFunc(counted, func(n block.NameCount) bool {
		return n.Severity == 0 && (matches == nil || matches(n.Name))
	}) {
		return false // which can be beyond the highest
	}
	for _, n := range counted {
		if n.Severity.Reaches(least) && (matches == nil || matches(n.Name)) {
			text := n.Name
			if c.q.By == BySeverity {
				text = n.Severity.Name()
			}
			c.add(r.Lowest, text, n.Count)
		}
	}
	return true
}

func (c *counter) addEvent(batch map[name]block.Count, ref eventlog.Ref) {
	text := ref.EventType()
	switch c.q.By {
	case BySource:
		text = ref.Source()
	case BySeverity:
		text = severity.Number(ref.Record.SeverityNumber()).Name()
	}
	n := c.name(int64(ref.Record.Timestamp()), text)
	count := batch[n]
	count.Events++
	count.Estimated += ref.AdjustedCount()
	batch[n] = count
}

func (c *counter) name(timestamp int64, text string) name {
	if c.q.By == ByCategory {
		text, _, _ = strings.Cut(text, ".")
	}
	return name{text, c.q.Buckets.Start(timestamp)}
}

func (c *counter) add(timestamp int64, text string, count block.Count) {
	n := c.name(timestamp, text)
	c.full = c.full || !c.take(Count{Name: n.text, Start: n.start, Count: count})
}

// withinBounds says whether all times from lowest to highest are within Since and Until.
func (f *filter) withinBounds(lowest, highest int64) bool {
	since, until := f.index.Since, f.index.Until
	return (since.IsZero() || lowest >= since.UnixNano()) && (until.IsZero() || highest < until.UnixNano())
}
