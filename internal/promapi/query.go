package promapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/isbl/telemetry/internal/promexpr"
	"github.com/isbl/telemetry/internal/series"
)

// maxPoints is how many steps a range query has at most, as in Prometheus: a line of a chart.
const maxPoints = 11_000

// result is the data of a query.
type result struct {
	ResultType parser.ValueType `json:"resultType"`
	Result     parser.Value     `json:"result"`
}

func (h *Handler) query(r *request) error {
	at, err := r.time("time", time.Now())
	if err != nil {
		return err
	}
	return h.exec(r, series.Query{Start: at, End: at})
}

func (h *Handler) queryRange(r *request) error {
	for _, name := range []string{"start", "end", "step"} {
		if r.q.Get(name) == "" {
			return badData(`invalid parameter %q: it is missing`, name)
		}
	}
	q, err := r.between(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	if q.Step, err = r.duration("step", 0); err != nil {
		return err
	}
	switch {
	case q.Step < time.Millisecond:
		return badData(`invalid parameter "step": it must be at least 1ms`)
	case q.End.Sub(q.Start)/q.Step >= maxPoints:
		return badData("the range has more than %d steps for each series: choose a longer step or a shorter range", maxPoints)
	}
	return h.exec(r, q)
}

// exec answers a query at times that are known already.
func (h *Handler) exec(r *request, q series.Query) (err error) {
	if q.Expr = r.q.Get("query"); q.Expr == "" {
		return badData(`invalid parameter "query": it is missing`)
	}
	if q.Timeout, err = r.duration("timeout", 0); err != nil {
		return err
	}
	if q.Lookback, err = r.duration("lookback_delta", 0); err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	var body []byte
	err = h.ask(r, q, func(res *promql.Result) error {
		value, cut := limited(res.Value, limit)
		if cut {
			res.Warnings.Add(errTruncated)
		}
		body, err = encode(result{value.Type(), value}, res.Warnings, q.Expr)
		return err
	})
	if err != nil {
		return err
	}
	return r.write(body)
}

var errTruncated = errors.New("results truncated due to limit")

// ask evaluates a query once there is a place for it.
func (h *Handler) ask(r *request, q series.Query, use func(*promql.Result) error) error {
	ctx, end, err := h.opts.Begin(r.w, r.Request)
	if err != nil {
		return &apiError{http.StatusServiceUnavailable, "unavailable", err}
	}
	defer end()
	return h.opts.Engine.Exec(ctx, q, use)
}

// limited returns at most limit series of a result; 0 is no limit.
func limited(v parser.Value, limit int) (_ parser.Value, cut bool) {
	switch list := v.(type) {
	case promql.Vector:
		return atMost(list, limit)
	case promql.Matrix:
		return atMost(list, limit)
	default:
		return v, false
	}
}

// atMost returns the first elements of a list, which is never nil; 0 is no limit.
func atMost[L ~[]E, E any](list L, limit int) (_ L, cut bool) {
	if list == nil {
		list = L{}
	}
	if limit > 0 && len(list) > limit {
		return list[:limit], true
	}
	return list, false
}

func formatQuery(r *request) error {
	expr, err := promexpr.Parser().ParseExpr(r.q.Get("query"))
	if err != nil {
		return badData(`invalid parameter "query": %w`, err)
	}
	return r.answer(expr.Pretty(0))
}

// between reads the parameters start and end.
func (r *request) between(start, end time.Time) (q series.Query, err error) {
	if q.Start, err = r.time("start", start); err != nil {
		return q, err
	}
	if q.End, err = r.time("end", end); err != nil {
		return q, err
	}
	if q.End.Before(q.Start) {
		return q, badData(`invalid parameter "end": it must not be before start`)
	}
	return q, nil
}

// time reads a time: Unix seconds, or RFC 3339.
func (r *request) time(name string, missing time.Time) (time.Time, error) {
	text := r.q.Get(name)
	if text == "" {
		return missing, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if math.Abs(seconds) < maxSeconds { // false for NaN
			return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
		}
	} else if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	return time.Time{}, badData("invalid parameter %q: write a time as Unix seconds or in RFC 3339, not %q", name, text)
}

// maxSeconds is more than any time of an event, and far from what overflows.
const maxSeconds = 1e11

// duration reads a duration: seconds, or as 5m.
func (r *request) duration(name string, missing time.Duration) (time.Duration, error) {
	text := r.q.Get(name)
	if text == "" {
		return missing, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if seconds > 0 && seconds < math.MaxInt64/float64(time.Second) {
			return time.Duration(seconds * float64(time.Second)), nil
		}
	} else if d, err := model.ParseDuration(text); err == nil && d > 0 {
		return time.Duration(d), nil
	}
	return 0, badData("invalid parameter %q: write a duration above 0 such as 15s, or a number of seconds, not %q", name, text)
}

// limit reads the highest number of results; 0 is no limit.
func (r *request) limit() (int, error) {
	text := r.q.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badData(`invalid parameter "limit": write a number from 0, not %q`, text)
	}
	return n, nil
}
