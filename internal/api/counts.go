package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/when"
)

const (
	// maxRows is how many numbers an answer may have.
	maxRows = 10_000
	// maxCounting is how long counting may take.
	maxCounting = 20 * time.Second
)

func (h *Handler) countsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/counts",
		Description: "How many events there are by type, category or source, over event time; with estimates of how many there were before sampling.",
		Parameters: append(filterParameters(),
			parameter{Name: "by", Description: "event_type (default), category, or source"},
			parameter{Name: "interval", Description: "length of a bucket of event time, such as 1m, 1h, 1d; without it, all times together"},
		),
		Examples: []string{
			prefix + "/counts",
			prefix + "/counts?by=category&interval=1h&since=7d",
		},
		serve: h.serveCounts,
	}
}

// bucket is a number of the answer: exactly one of its names is set.
type bucket struct {
	Start     *time.Time `json:"start,omitempty"`
	EventType string     `json:"event_type,omitempty"`
	Category  string     `json:"category,omitempty"`
	Source    string     `json:"source,omitempty"`
	Count     uint64     `json:"count"`
	Estimated float64    `json:"estimated"`
}

func (h *Handler) serveCounts(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	q := store.CountQuery{Filter: p.filter(), MaxRows: maxRows}
	by := p.choice("by", "event_type", "category", "source")
	q.By = map[string]store.By{"event_type": store.ByType, "category": store.ByCategory, "source": store.BySource}[by]
	q.Interval = p.interval()
	if p.bad != nil {
		return p.bad
	}
	extendDeadlines(w, r, maxCounting)
	ctx, cancel := context.WithTimeout(r.Context(), maxCounting)
	defer cancel()
	counts, failures, err := h.opts.Store.Count(ctx, q)
	switch {
	case errors.Is(err, store.ErrTooManyCounts):
		return badRequest("interval", "there are more than %d counts: choose a longer interval, or fewer events by since, until, event_type or source", maxRows)
	case err != nil && ctx.Err() != nil && r.Context().Err() == nil:
		return newProblem(http.StatusServiceUnavailable, "counting took longer than %v: choose fewer events by since, until, event_type or source", maxCounting)
	case err != nil:
		return h.storeProblem(r, err, "")
	}
	answer := struct {
		By       string   `json:"by"`
		Interval string   `json:"interval,omitempty"`
		Buckets  []bucket `json:"buckets"`

		WhereErrors *store.Failures `json:"where_errors,omitempty"`
	}{By: by, Interval: values.Get("interval"), Buckets: make([]bucket, len(counts)), WhereErrors: some(failures)}
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
		}
		answer.Buckets[i] = b
	}
	writeJSON(w, r, http.StatusOK, contentJSON, answer)
	return nil
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
		p.fail("interval", "interval is %s, but must be at least %v", quote(value), minInterval)
	}
	return d
}
