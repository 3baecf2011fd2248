package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

const (
	// maxRows is how many numbers an answer may have.
	maxRows = 10_000
	// maxScanning is how long counts and aggregates may take.
	maxScanning = 20 * time.Second
)

func (h *Handler) countsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/counts",
		Description: "How many events there are by type, category, source or severity, over event time; with estimates of how many there were before sampling.",
		Parameters: append(filterParameters(),
			parameter{Name: "by", Description: "event_type (default), category, source, or severity"},
			parameter{Name: "interval", Description: "length of a bucket of event time, such as 1m, 1h, 1d; without it, all times together"},
		),
		Examples: []string{
			prefix + "/counts",
			prefix + "/counts?by=category&interval=1h&since=7d",
		},
		serve: h.serveCounts,
	}
}

// bucket is a number of the answer: one of its names is set, or none for events without a severity.
type bucket struct {
	Start     *time.Time `json:"start,omitempty"`
	EventType string     `json:"event_type,omitempty"`
	Category  string     `json:"category,omitempty"`
	Source    string     `json:"source,omitempty"`
	Severity  string     `json:"severity,omitempty"`
	Count     uint64     `json:"count"`
	Estimated float64    `json:"estimated"`
}

func (h *Handler) serveCounts(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	q := store.CountQuery{Filter: p.filter(), MaxRows: maxRows}
	by := p.choice("by", "event_type", "category", "source", "severity")
	q.By = map[string]store.By{
		"event_type": store.ByType, "category": store.ByCategory, "source": store.BySource, "severity": store.BySeverity,
	}[by]
	q.Interval = p.interval()
	if p.bad != nil {
		return p.bad
	}
	ctx, stop := h.scan(w, r)
	defer stop(nil)
	counts, failures, err := h.opts.Store.Count(ctx, q)
	switch {
	case errors.Is(err, store.ErrTooManyCounts):
		return badRequest("interval", "there are more than %d counts: choose a longer interval, or fewer events by since, until, event_type or source", maxRows)
	case err != nil:
		return h.scanProblem(ctx, r, err)
	}
	answer := struct {
		By       string   `json:"by"`
		Interval string   `json:"interval,omitempty"`
		Buckets  []bucket `json:"buckets"`

		WhereErrors *store.Failures `json:"where_errors,omitempty"`
	}{By: by, Interval: values.Get("interval"), Buckets: make([]bucket, len(counts)), WhereErrors: failures.OrNil()}
	for i, c := range counts {
		b := bucket{Count: c.Events, Estimated: c.Estimated}
		if q.Interval > 0 {
			b.Start = &c.Start
		}
		switch q.By {
		case store.ByType:
			b.EventType = c.Name
		case store.ByCategory:
			b.Category = c.Name
		case store.BySource:
			b.Source = c.Name
		case store.BySeverity:
			b.Severity = c.Name
		}
		answer.Buckets[i] = b
	}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

var errScanTime = fmt.Errorf("looking at the events took longer than %v", maxScanning)

// scan starts to look at many events for an answer: the context is done after maxScanning, when the
// client leaves, and when the Handler is closed.
func (h *Handler) scan(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelCauseFunc) {
	extendDeadlines(w, r, maxScanning)
	ctx, stop := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(maxScanning, func() { stop(errScanTime) })
	leave := context.AfterFunc(h.closing, func() { stop(store.ErrClosed) })
	return ctx, func(cause error) {
		timer.Stop()
		leave()
		stop(cause)
	}
}

// scanProblem says why a scan failed.
func (h *Handler) scanProblem(ctx context.Context, r *http.Request, err error) *problem {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, errScanTime) {
		return newProblem(http.StatusServiceUnavailable, "%v: choose fewer events by since, until, event_type or source", err)
	}
	return h.storeProblem(r, err, "")
}

// minInterval is the shortest bucket: shorter ones would be one an event.
const minInterval = time.Second

// interval reads the length of a bucket; zero without one.
func (p *params) interval() time.Duration {
	if !p.has("interval") {
		return 0
	}
	value := p.values.Get("interval")
	d, err := when.Duration(value)
	switch {
	case err != nil:
		p.fail("interval", "interval: %v", err)
	case d < minInterval:
		p.fail("interval", "interval is %s, but must be at least %v", text.Quote(value), minInterval)
	}
	return d
}
