package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
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
		Description: "Numbers over a field of the data. Count, sum, min, max and avg are exact; percentiles are within 1 % of the value at their rank. Events that were sampled weigh as many as they stand for.",
		Parameters: append(filterParameters(),
			parameter{Name: "field", Description: "where the numbers are, such as data.duration_ms; only count does without"},
			parameter{Name: "functions", Description: "what to compute: a list of count (default), sum, min, max, avg, and percentiles such as p95", repeatable: true},
			parameter{Name: "by", Description: "a group for each event_type, category, source, or value of the data, such as data.country; without it, one group"},
			parameter{Name: "interval", Description: "length of a bucket of event time, such as 1m, 1h, 1d; without it, all times together"},
		),
		Examples: []string{
			prefix + "/aggregate?field=data.duration_ms&functions=count,avg,p95&by=event_type",
			prefix + "/aggregate?field=data.duration_ms&functions=max&interval=1h&since=1d",
		},
		serve: h.serveAggregate,
	}
}

// aggregation is what a request asks for, and one worker's part of the answer.
type aggregation struct {
	field     string
	by        string
	interval  time.Duration
	functions []aggregate.Function
	quantiles bool
	rows      map[group]*aggregate.Values
	missing   uint64 // events that match and have no number in field
}

// group is what the numbers of a row have in common.
type group struct {
	bucket int64 // number of the interval since 1970
	name   string
}

func (h *Handler) serveAggregate(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	chosen, a := p.filter(), p.aggregation()
	if p.bad != nil {
		return p.bad
	}
	workers := make([]aggregation, store.ScanWorkers())
	for i := range workers {
		workers[i] = a
		workers[i].rows = map[group]*aggregate.Values{}
	}
	ctx, stop := h.scan(w, r)
	defer stop(nil)
	failures, err := h.opts.Store.Scan(ctx, chosen, h.opts.MaxScan, func(worker int, ref eventlog.Ref) {
		if !workers[worker].add(ref) {
			stop(store.ErrTooManyCounts)
		}
	})
	for i := range workers {
		a.merge(&workers[i])
	}
	var limit *store.ScanLimitError
	switch {
	case errors.As(err, &limit):
		return newProblem(http.StatusUnprocessableEntity, "%v: choose fewer events by since, until, event_type or source, or raise max_scan of the exporter", limit)
	case errors.Is(context.Cause(ctx), store.ErrTooManyCounts), len(a.rows) > maxRows:
		return badRequest("by", "there are more than %d groups: choose a longer interval, another by, or fewer events by since, until, event_type or source", maxRows)
	case err != nil:
		return h.scanProblem(ctx, r, err)
	}
	httpjson.Write(w, http.StatusOK, a.answer(values, failures))
	return nil
}

func (p *params) aggregation() aggregation {
	a := aggregation{by: p.values.Get("by"), interval: p.interval()}
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
	if p.has("by") && !slices.Contains([]string{"event_type", "category", "source"}, a.by) {
		if _, err := filter.ParsePath(a.by); err != nil {
			p.fail("by", "by is %s, but must be event_type, category, source, or data. and a key", text.Quote(a.by))
		}
	}
	return a
}

// add adds an event. It returns false when there are too many groups.
func (a *aggregation) add(ref eventlog.Ref) bool {
	value := 0.0
	if a.field != "" {
		var ok bool
		if value, ok = number(ref, a.field); !ok {
			a.missing++
			return true
		}
	}
	at := group{name: a.name(ref)}
	if a.interval > 0 {
		at.bucket = int64(ref.Record.Timestamp()) / int64(a.interval)
	}
	row := a.rows[at]
	if row == nil {
		at.name = strings.Clone(at.name) // not the block that it is part of
		row = aggregate.NewValues(a.quantiles)
		a.rows[at] = row
	}
	row.Add(value, ref.AdjustedCount())
	return len(a.rows) <= maxRows
}

// number returns a finite number of the data.
func number(ref eventlog.Ref, path string) (float64, bool) {
	v, ok := ref.Data(path)
	if !ok {
		return 0, false
	}
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return float64(v.Int()), true
	case pcommon.ValueTypeDouble:
		n := v.Double()
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	default:
		return 0, false
	}
}

func (a *aggregation) name(ref eventlog.Ref) string {
	switch a.by {
	case "":
		return ""
	case "event_type":
		return ref.EventType()
	case "category":
		name, _, _ := strings.Cut(ref.EventType(), ".")
		return name
	case "source":
		return ref.Source()
	}
	v, ok := ref.Data(strings.TrimPrefix(a.by, filter.DataPrefix))
	if !ok {
		return ""
	}
	return v.AsString()
}

func (a *aggregation) merge(part *aggregation) {
	a.missing += part.missing
	if a.rows == nil {
		a.rows = part.rows
		return
	}
	for at, values := range part.rows {
		if have := a.rows[at]; have != nil {
			have.Merge(values)
		} else {
			a.rows[at] = values
		}
	}
}

// answer lists the groups in order of time and name.
func (a *aggregation) answer(values url.Values, failures store.Failures) any {
	order := slices.SortedFunc(maps.Keys(a.rows), func(x, y group) int {
		return cmp.Or(cmp.Compare(x.bucket, y.bucket), cmp.Compare(x.name, y.name))
	})
	groups := make([]members, len(order))
	for i, at := range order {
		row := a.rows[at]
		if a.interval > 0 {
			groups[i].add("start", time.Unix(0, at.bucket*int64(a.interval)).UTC())
		}
		if a.by != "" {
			groups[i].add(a.by, at.name)
		}
		for _, f := range a.functions {
			groups[i].add(f.Name, finite(f.Of(row)))
		}
		if row.Weighted() {
			groups[i].add("estimated", row.Weight)
			groups[i].add("weighted", true)
		}
	}
	answer := struct {
		Field    string    `json:"field,omitempty"`
		By       string    `json:"by,omitempty"`
		Interval string    `json:"interval,omitempty"`
		Groups   []members `json:"groups"`
		// Missing counts the events that match and have no number there.
		Missing       uint64          `json:"missing"`
		QuantileError float64         `json:"quantile_error,omitempty"`
		WhereErrors   *store.Failures `json:"where_errors,omitempty"`
	}{
		Field: values.Get("field"), By: a.by, Interval: values.Get("interval"), Groups: groups,
		Missing: a.missing, WhereErrors: failures.OrNil(),
	}
	if a.quantiles {
		answer.QuantileError = aggregate.Accuracy
	}
	return answer
}

// finite returns a number as JSON can have it; a sum may leave what it can.
func finite(n float64) any {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	return n
}

// members is a JSON object whose members keep their order.
type members []byte

func (m *members) add(name string, value any) {
	separator := byte(',')
	if len(*m) == 0 {
		separator = '{'
	}
	*m = append(append(append(append(*m, separator), compact(name)...), ':'), compact(value)...)
}

// MarshalJSON returns the object.
func (m members) MarshalJSON() ([]byte, error) {
	return json.RawMessage(append(m[:len(m):len(m)], '}')).MarshalJSON()
}
