package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
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
	// Interval is the length of a bucket of event time; buckets start at multiples of it
	// since 1970. Zero counts all times together.
	Interval time.Duration
	// MaxRows bounds how many numbers there may be, at least 1.
	MaxRows int
}

// Count is how many events of one name there are in one bucket.
type Count struct {
	// Start is when the bucket starts; the zero time without Interval.
	Start time.Time
	Name  string
	block.Count
}

// ErrTooManyCounts means that there would be more numbers than MaxRows.
var ErrTooManyCounts = errors.New("too many counts")

// Count counts events, in order of time and name. What lies in one bucket as a whole is
// counted from the index; blocks are opened only where that does not tell. Errors:
// ErrTooManyCounts, ErrClosed, the context's, and those of the connection.
func (s *Store) Count(ctx context.Context, q CountQuery) ([]Count, Failures, error) {
	if s.closed.Load() {
		return nil, Failures{}, ErrClosed
	}
	c := counter{q: q, filter: newFilter(q.Filter), rows: map[row]block.Count{}}
	for seq := uint64(1); ; {
		run, ok := s.index.Run(seq, &c.filter.index)
		if !ok {
			return c.counts(), c.failures, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, Failures{}, err
		}
		if !c.addRun(&run) {
			if err := s.countEvents(ctx, &c, run.First, run.Last); err != nil {
				return nil, Failures{}, err
			}
		}
		if len(c.rows) > q.MaxRows {
			return nil, Failures{}, ErrTooManyCounts
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
		}
		first += uint64(max(len(blocks), 1))
	}
	return nil
}

// counter gathers counts.
type counter struct {
	q      CountQuery
	filter filter
	rows   map[row]block.Count

	failures Failures
}

type row struct {
	bucket int64 // number of the interval since 1970
	name   string
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
	if !known || c.bucket(r.Lowest) != c.bucket(r.Highest) || !c.filter.withinBounds(r.Lowest, r.Highest) {
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
	at := row{c.bucket(timestamp), name}
	sum, known := c.rows[at]
	if !known {
		at.name = strings.Clone(name) // not the block that it is part of
	}
	sum.Events += n.Events
	sum.Estimated += n.Estimated
	c.rows[at] = sum
}

func (c *counter) bucket(timestamp int64) int64 {
	if c.q.Interval == 0 {
		return 0
	}
	return timestamp / int64(c.q.Interval)
}

func (c *counter) counts() []Count {
	list := make([]Count, 0, len(c.rows))
	for at, n := range c.rows {
		count := Count{Name: at.name, Count: n}
		if c.q.Interval > 0 {
			count.Start = time.Unix(0, at.bucket*int64(c.q.Interval)).UTC()
		}
		list = append(list, count)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// withinBounds says whether all times from lowest to highest are within Since and Until.
func (f *filter) withinBounds(lowest, highest int64) bool {
	since, until := f.index.Since, f.index.Until
	return (since.IsZero() || lowest >= since.UnixNano()) && (until.IsZero() || highest < until.UnixNano())
}
