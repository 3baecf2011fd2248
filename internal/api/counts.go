package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// maxScanning is how long counts and aggregates may take.
	maxScanning = 20 * time.Second
)

func (h *Handler) countsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/counts",
		Description: "How many events there are by type, category, source, severity or a value of the data, over event time; with estimates of how many there were before sampling.",
		Parameters: append(append(filterParameters(), groupingParameters(" (default event_type)")...),
			parameter{Name: "after", Description: "next of counts that were partial: older events are counted, which those left out"},
			explainParameter()),
		Examples: []string{
			prefix + "/counts",
			prefix + "/counts?by=category&interval=1h&since=7d",
			prefix + "/counts?by=data.country&top=10&interval=1d&tz=Europe/Oslo&fill=zero",
		},
		serve: h.serveCounts,
	}
}

func (h *Handler) serveCounts(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	chosen, g, after, work := p.filter(), p.grouping("event_type"), p.after(), p.work()
	if p.bad != nil {
		return p.bad
	}
	ctx, stop, bad := h.scan(w, r)
	if bad != nil {
		return bad
	}
	defer stop(nil)
	part := store.Part{Before: after, Deadline: time.Now().Add(h.maxCounting), Work: work}
	table, seen, err := h.count(ctx, stop, chosen, part, &g)
	switch {
	case errors.Is(err, store.ErrTooManyCounts), errors.Is(context.Cause(ctx), store.ErrTooManyCounts):
		return tooManyRows()
	case err != nil:
		return h.scanProblem(ctx, r, err, "after")
	}
	rows, bad := g.rows(table, chosen, p.now)
	if bad != nil {
		return bad
	}
	answer := struct {
		By         string    `json:"by"`
		Interval   string    `json:"interval,omitempty"`
		Buckets    []members `json:"buckets"`
		CountError uint64    `json:"count_error,omitempty"`
		*progress
		explained

		WhereErrors *store.Failures `json:"where_errors,omitempty"`
	}{By: g.by.Name, Interval: g.interval, Buckets: make([]members, len(rows)), CountError: table.Error, progress: progressOf(&seen), explained: explain(work), WhereErrors: seen.Failures.OrNil()}
	for i := range rows {
		m := g.begin(&rows[i])
		m.add("count", rows[i].values.Count)
		m.add("estimated", rows[i].values.Weight)
		answer.Buckets[i] = m
	}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

// progress is how far an answer came whose time was over.
type progress struct {
	Partial bool `json:"partial"`
	// Events were counted, of Of.
	Events uint64 `json:"events"`
	Of     uint64 `json:"of"`
	// Next goes on.
	Next string `json:"next"`
}

// progressOf returns nil where everything was seen.
func progressOf(seen *store.Seen) *progress {
	if seen.Next.IsZero() {
		return nil
	}
	return &progress{Partial: true, Events: seen.Events, Of: seen.Of, Next: seen.Next.String()}
}

// count counts events by group, from the index where it knows enough.
func (h *Handler) count(
	ctx context.Context, stop context.CancelCauseFunc, chosen *predicate.Predicate, part store.Part, g *grouping,
) (*aggregate.Table, store.Seen, error) {
	var all []*aggregate.Table
	var seen store.Seen
	var err error
	if g.by.IsData() {
		all = tables(false)
		seen, err = h.opts.Store.Scan(ctx, chosen, part, math.MaxUint64, func(worker int, ref eventlog.Ref) {
			if !all[worker].AddEvents(g.by.Key(ref), g.buckets.Start(int64(ref.Record.Timestamp())), 1, ref.AdjustedCount()) {
				stop(store.ErrTooManyCounts)
			}
		})
	} else {
		all = []*aggregate.Table{aggregate.NewTable(false, maxGroupBytes)}
		by := map[string]store.By{
			"event_type": store.ByType, "category": store.ByCategory, "source": store.BySource, "severity": store.BySeverity,
		}[g.by.Name] // by type without a name
		seen, err = h.opts.Store.Count(ctx, store.CountQuery{Filter: chosen, By: by, Buckets: g.buckets, Part: part}, func(c store.Count) bool {
			return all[0].AddEvents(g.by.KeyOf(c.Name), c.Start, c.Events, c.Estimated)
		})
	}
	if err != nil {
		return nil, seen, err
	}
	table, fits := join(all)
	if !fits {
		err = store.ErrTooManyCounts
	}
	return table, seen, err
}

var errScanTime = fmt.Errorf("looking at the events took longer than %v", maxScanning)

// maxScans is how many answers that look at many events are made at once: each takes memory, and
// all cores.
const maxScans = 2

// scan starts to look at many events for an answer: the context is done after maxScanning, when the
// client leaves, and when the Handler is closed. Only maxScans run at once; the others wait, and
// are refused after maxQueued.
func (h *Handler) scan(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelCauseFunc, *problem) {
	extendDeadlines(w, r, h.maxQueued+maxScanning)
	select {
	case h.scans <- struct{}{}:
	case <-time.After(h.maxQueued):
		return nil, nil, busy("%d others look at many events now: try again", maxScans)
	case <-h.closing.Done():
		return nil, nil, h.storeProblem(r, store.ErrClosed, "")
	case <-r.Context().Done():
		return nil, nil, gone
	}
	ctx, stop := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(maxScanning, func() { stop(errScanTime) })
	leave := context.AfterFunc(h.closing, func() { stop(store.ErrClosed) })
	return ctx, func(cause error) {
		stop(cause)
		if cause == nil { // the answer is made
			timer.Stop()
			leave()
			<-h.scans
		}
	}, nil
}

// gone is the problem of a client that left, and reads nothing any more.
var gone = newProblem(http.StatusServiceUnavailable, "the client left")

// busy is about a request that can succeed later.
func busy(format string, args ...any) *problem {
	p := newProblem(http.StatusServiceUnavailable, format, args...)
	p.retryAfter = httpjson.RetryAfter
	return p
}

// scanProblem says why a scan failed.
func (h *Handler) scanProblem(ctx context.Context, r *http.Request, err error, parameter string) *problem {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, errScanTime) {
		return newProblem(http.StatusServiceUnavailable, "%v: choose fewer events by since, until, event_type or source", err)
	}
	return h.storeProblem(r, err, parameter)
}
