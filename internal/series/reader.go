package series

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/isbl/telemetry/internal/store"
)

// reader makes the series of one query: those of all selectors in one pass, when the engine selects
// the first ones. So all count the same events. It is for one goroutine.
type reader struct {
	engine *Engine
	room   *room

	selectors []selector
	lookback  int64
	deadline  time.Time // after which no more blocks are opened; zero for none

	gathered bool
	next     int // the selector that the engine asks for next
	sources  [][]source
	known    *census
	warnings annotations.Annotations
	err      error
}

// source makes series of a selector.
type source interface {
	// knows says whether what the index knows of a run is enough to count it.
	knows(*store.Run) bool
	// count counts the run that it was asked about last, and knows.
	count() error
	// open counts a run by its blocks. It is called from several goroutines.
	open(worker int, run *store.Run, blocks []store.Block) error
	// finish returns the series.
	finish(*census) ([]storage.Series, error)
}

func (e *Engine) newReader(room *room) *reader {
	var named []string
	if list := e.named.Load(); list != nil {
		named = *list
	}
	return &reader{engine: e, room: room, known: newCensus(named)}
}

// Querier implements storage.Queryable.
func (r *reader) Querier(int64, int64) (storage.Querier, error) { return r, nil }

// Select implements storage.Querier, for the engine: it returns the series of the next selector.
func (r *reader) Select(ctx context.Context, _ bool, _ *storage.SelectHints, list ...*labels.Matcher) storage.SeriesSet {
	if !r.gathered {
		r.gathered = true
		r.err = r.gather(ctx)
	}
	if r.err != nil {
		return storage.ErrSeriesSet(r.err)
	}
	if r.next == len(r.selectors) || len(list) != len(r.selectors[r.next].node.LabelMatchers) {
		return storage.ErrSeriesSet(errors.New("the engine selects other series than planned"))
	}
	set := &seriesSet{warnings: r.warnings}
	for _, s := range r.sources[r.next] {
		list, err := s.finish(r.known)
		if err != nil {
			return storage.ErrSeriesSet(err)
		}
		set.list = append(set.list, list...)
	}
	r.sources[r.next] = nil
	r.next++
	return set
}

// Close and the calls for labels implement storage.Querier; the engine does not need them.
func (r *reader) Close() error { return nil }

// LabelValues implements storage.Querier.
func (r *reader) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// LabelNames implements storage.Querier.
func (r *reader) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// seriesSet is a storage.SeriesSet.
type seriesSet struct {
	list     []storage.Series
	at       int
	warnings annotations.Annotations
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	s.at++
	return s.at <= len(s.list)
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.list[s.at-1] }

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations { return s.warnings }

// gather counts for all selectors.
func (r *reader) gather(ctx context.Context) error {
	origin := r.origin()
	var all []source
	for i := range r.selectors {
		s := &r.selectors[i]
		sources, err := r.newSources(s, origin)
		if err != nil {
			return err
		}
		r.sources, all = append(r.sources, sources), append(all, sources...)
	}
	counting := slices.ContainsFunc(all, func(s source) bool { _, ok := s.(*counter); return ok })
	places := make([]map[kind]uint16, store.ScanWorkers())
	for i := range places {
		places[i] = map[kind]uint16{}
	}
	complete, err := r.engine.opts.Store.Walk(ctx, r.engine.opts.MaxScan, r.deadline, func(run *store.Run) (bool, error) {
		r.known.run(run)
		return countRun(all, run)
	}, func(worker int, run *store.Run, blocks []store.Block) error {
		for _, s := range all {
			if err := s.open(worker, run, blocks); err != nil {
				return err
			}
		}
		if counting {
			r.engine.memory.remember(run, blocks, places[worker])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !complete {
		r.warnings.Add(fmt.Errorf("%w: not all events were looked at in time, only the newest", annotations.PromQLWarning))
	}
	for _, s := range all {
		if c, ok := s.(*counter); ok {
			r.known.note(c)
		}
	}
	r.warnAge()
	return nil
}

// countRun counts a run for all sources if all know enough; else all need its blocks.
func countRun(all []source, run *store.Run) (known bool, err error) {
	for _, s := range all {
		if !s.knows(run) {
			return false, nil
		}
	}
	for _, s := range all {
		if err := s.count(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// noOrigin is the origin of counters that count all events kept.
const noOrigin = math.MinInt64

// origin is the time at which all counters of the query are zero, so that their values can be
// compared: before the oldest event, or, where only differences count, the earliest time that a
// selector looks at.
func (r *reader) origin() int64 {
	earliest := int64(math.MaxInt64)
	for i := range r.selectors {
		s := &r.selectors[i]
		if !s.differences {
			return noOrigin
		}
		if first, ok := s.earliest(); ok {
			earliest = min(earliest, first)
		}
	}
	return earliest
}

// earliest is the first time that a selector looks at; ok is false where there is none.
func (s *selector) earliest() (first int64, ok bool) {
	first = math.MaxInt64
	for _, w := range s.windows {
		first = min(first, w.from)
	}
	return first, len(s.windows) > 0
}

// newSources returns what makes the series of a selector: a source for each metric that it names.
func (r *reader) newSources(s *selector, origin int64) (list []source, err error) {
	m := newMatchers(s.node.LabelMatchers)
	for _, metric := range metricsOf(s.node.LabelMatchers) {
		if metric != Field {
			counted := m
			counted.none = m.none || !matchesAll(m.byField, "")
			list = append(list, newCounter(metric, s, counted, origin, r))
			continue
		}
		field, ok := fieldOf(m.byField)
		switch {
		case ok:
			n, err := newNumbers(s, m, field, r)
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		case slices.ContainsFunc(s.node.LabelMatchers, func(m *labels.Matcher) bool {
			return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
		}):
			return nil, fmt.Errorf(`%s: name the field in the selector, such as %s{field="data.duration_ms"}`, s.node, Field)
		}
	}
	return list, nil
}

// warnAge adds a warning where the query looks at times before the oldest event.
func (r *reader) warnAge() {
	earliest := int64(math.MaxInt64)
	for i := range r.selectors {
		if first, ok := r.selectors[i].earliest(); ok && r.selectors[i].ranged {
			earliest = min(earliest, first)
		}
	}
	if earliest < math.MaxInt64 && r.known.oldest < math.MaxInt64 && ceilMilliseconds(r.known.oldest) > earliest+1 {
		r.warnings.Add(fmt.Errorf("%w: the query looks back to %s, but the oldest event kept is of %s", annotations.PromQLWarning,
			time.UnixMilli(earliest).UTC().Format(time.RFC3339Nano), time.Unix(0, r.known.oldest).UTC().Format(time.RFC3339Nano)))
	}
}
