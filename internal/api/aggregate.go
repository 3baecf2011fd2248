package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
)

// DefaultMaxScan is how many events an aggregate may look at unless Options say otherwise.
const DefaultMaxScan = 10_000_000

func (h *Handler) aggregateCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/aggregate",
		Description: "Numbers over a field of the data. Count, sum, min and max are exact, integers of 64 bits too; percentiles are by nearest rank, exact for groups of up to 1000 numbers and within 1 % of the value at their rank beyond. Events that were sampled weigh as many as they stand for.",
		Parameters: append(append(filterParameters(),
			parameter{Name: "field", Description: "where the numbers are, such as data.duration_ms; only count does without"},
			parameter{Name: "functions", Description: "what to compute: a list of count (default), sum, min, max, avg, and percentiles such as p95", repeatable: true},
			explainParameter(),
		), groupingParameters("; without it, one group")...),
		Examples: []string{
			prefix + "/aggregate?field=data.duration_ms&functions=count,avg,p95&by=event_type",
			prefix + "/aggregate?field=data.duration_ms&functions=max&interval=1h&since=1d",
		},
		serve: h.serveAggregate,
	}
}

// aggregation is what a request asks for.
type aggregation struct {
	grouping
	field     string
	functions []aggregate.Function
	quantiles bool
}

// maxFunctions is how many functions one call computes.
const maxFunctions = 20

func (h *Handler) serveAggregate(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	chosen, a, work := p.filter(), p.aggregation(), p.work()
	if p.bad != nil {
		return p.bad
	}
	ctx, stop, bad := h.scan(w, r)
	if bad != nil {
		return bad
	}
	defer stop(nil)
	var table *aggregate.Table
	var missing uint64
	var seen store.Seen
	var err error
	if a.field == "" && !a.by.IsData() && !chosen.ByText() && !chosen.ByContent() { // the index knows of most blocks
		table, seen, err = h.count(ctx, stop, chosen, store.Part{Work: work}, &a.grouping)
	} else {
		table, missing, seen, err = h.aggregate(ctx, stop, chosen, store.Part{Work: work}, &a)
	}
	var limit *store.ScanLimitError
	switch {
	case errors.As(err, &limit):
		return newProblem(http.StatusUnprocessableEntity, "%v: choose fewer events by since, until, event_type or source, or raise max_scan of the exporter", limit)
	case errors.Is(err, store.ErrTooManyCounts), errors.Is(context.Cause(ctx), store.ErrTooManyCounts):
		return tooManyRows()
	case err != nil:
		return h.scanProblem(ctx, r, err, "")
	}
	rows, bad := a.rows(table, chosen, p.now)
	if bad != nil {
		return bad
	}
	answer := a.answer(values, rows)
	answer.Missing, answer.CountError, answer.WhereErrors = missing, table.Error, seen.Failures.OrNil()
	answer.explained = explain(work)
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

// aggregate looks at all events that match. missing of them have no number in the field.
func (h *Handler) aggregate(
	ctx context.Context, stop context.CancelCauseFunc, chosen *predicate.Predicate, part store.Part, a *aggregation,
) (table *aggregate.Table, missing uint64, seen store.Seen, err error) {
	workers, without := tables(a.quantiles), make([]uint64, store.ScanWorkers())
	seen, err = h.opts.Store.Scan(ctx, chosen, part, h.opts.MaxScan, func(worker int, ref eventlog.Ref) {
		has, fits := a.add(workers[worker], ref)
		if !has {
			without[worker]++
		}
		if !fits {
			stop(store.ErrTooManyCounts)
		}
	})
	if err != nil {
		return nil, 0, seen, err
	}
	for _, n := range without {
		missing += n
	}
	table, fits := join(workers)
	if !fits {
		err = store.ErrTooManyCounts
	}
	return table, missing, seen, err
}

func (p *params) aggregation() aggregation {
	a := aggregation{grouping: p.grouping("")}
	if p.has("field") {
		var err error
		if a.field, err = filter.ParsePath(p.values.Get("field")); err != nil {
			p.fail("field", "field is %s, but must be data. and a key: %v", text.Quote(p.values.Get("field")), err)
		}
	}
	names := p.list("functions")
	if names == nil {
		names = []string{"count"}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		f, err := aggregate.Parse(name)
		switch {
		case err != nil:
			p.fail("functions", "functions: %v", err)
		case a.field == "" && name != "count":
			p.fail("field", "%s needs a field, such as field=data.duration_ms", name)
		}
		a.functions = append(a.functions, f)
		a.quantiles = a.quantiles || f.IsQuantile()
	}
	if len(a.functions) > maxFunctions {
		p.fail("functions", "functions names %d, but may name %d", len(a.functions), maxFunctions)
	}
	return a
}

// add adds an event. It returns whether the event has a number in the field, and whether there is
// room.
func (a *aggregation) add(t *aggregate.Table, ref eventlog.Ref) (has, fits bool) {
	start := a.buckets.Start(int64(ref.Record.Timestamp()))
	if a.field == "" {
		return true, t.AddEvents(a.by.Key(ref), start, 1, ref.AdjustedCount())
	}
	n, ok := aggregate.NumberOf(ref, a.field)
	if !ok {
		return false, true
	}
	return true, t.Add(a.by.Key(ref), start, n, ref.AdjustedCount())
}

// aggregateAnswer is the answer to a request.
type aggregateAnswer struct {
	Field    string    `json:"field,omitempty"`
	By       string    `json:"by,omitempty"`
	Interval string    `json:"interval,omitempty"`
	Groups   []members `json:"groups"`
	// Missing counts the events that match and have no number there.
	Missing uint64 `json:"missing"`
	// QuantileError is 0 where all percentiles are exact.
	QuantileError float64         `json:"quantile_error,omitempty"`
	CountError    uint64          `json:"count_error,omitempty"`
	WhereErrors   *store.Failures `json:"where_errors,omitempty"`
	explained
}

func (a *aggregation) answer(values url.Values, rows []row) *aggregateAnswer {
	answer := &aggregateAnswer{
		Field: values.Get("field"), By: a.by.Name, Interval: a.interval, Groups: make([]members, len(rows)),
	}
	for i := range rows {
		m, v := a.begin(&rows[i]), rows[i].values
		for _, f := range a.functions {
			m.add(f.Name, f.Of(v))
		}
		if v.Weighted() {
			m.add("estimated", v.Weight)
			m.add("weighted", true)
		}
		if !v.Exact() {
			answer.QuantileError = aggregate.Accuracy
		}
		answer.Groups[i] = m
	}
	return answer
}
