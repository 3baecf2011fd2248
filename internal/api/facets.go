package api

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/facets"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// maxFaceting is how long counting values may take; what was counted until then is the answer.
	maxFaceting = 2 * time.Second
	// maxDimensions is how many dimensions one call counts.
	maxDimensions = 20
	// maxFacetValues is the highest number of values of a facet.
	maxFacetValues = 100
	// defaultFacetValues is how many values a facet has when nobody says.
	defaultFacetValues = 10
)

// defaultDimensions are those of a call that names none.
var defaultDimensions = []string{"event_type", "source", "severity"}

func (h *Handler) facetsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/facets",
		Description: "The most frequent values of several dimensions, counted in one pass over the events. It takes " + maxFaceting.String() + " at most; partial says that not all events were counted by then, but the newest ones.",
		Parameters: append(filterParameters(),
			parameter{Name: "by", Description: "dimensions: a list of event_type, category, source, severity, and fields of the data such as data.country (default event_type,source,severity)", repeatable: true},
			parameter{Name: "limit", Description: "values of each facet, 1 to " + strconv.Itoa(maxFacetValues) + " (default " + strconv.Itoa(defaultFacetValues) + ")"},
			explainParameter(),
		),
		Examples: []string{prefix + "/facets?by=event_type,data.country&since=1h"},
		serve:    h.serveFacets,
	}
}

func (h *Handler) serveFacets(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	chosen, dimensions, work := p.filter(), p.dimensions(), p.work()
	limit := p.number("limit", 1, maxFacetValues, defaultFacetValues)
	if p.bad != nil {
		return p.bad
	}
	workers := make([]*facets.Counter, store.ScanWorkers())
	for i := range workers {
		workers[i] = facets.NewCounter(dimensions, maxGroupBytes/len(workers))
	}
	ctx, stop, bad := h.scan(w, r)
	if bad != nil {
		return bad
	}
	defer stop(nil)
	seen, err := h.opts.Store.Scan(ctx, chosen, store.Part{Deadline: time.Now().Add(maxFaceting), Work: work}, math.MaxUint64, func(worker int, ref eventlog.Ref) { workers[worker].Add(ref) })
	if err != nil {
		return h.scanProblem(ctx, r, err, "")
	}
	for _, worker := range workers[1:] {
		workers[0].Merge(worker)
	}
	answer := struct {
		// Events is how many were counted.
		Events  uint64         `json:"events"`
		Partial bool           `json:"partial"`
		Facets  []facets.Facet `json:"facets"`

		WhereErrors *store.Failures `json:"where_errors,omitempty"`
		explained
	}{Events: workers[0].Events(), Partial: !seen.Next.IsZero(), Facets: workers[0].Top(limit), WhereErrors: seen.Failures.OrNil(), explained: explain(work)}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

// dimensions reads what facets are by.
func (p *params) dimensions() []dimension.Dimension {
	names := p.list("by")
	if names == nil {
		names = defaultDimensions
	}
	if len(names) > maxDimensions {
		p.fail("by", "by names %d dimensions, but may name %d", len(names), maxDimensions)
	}
	all := make([]dimension.Dimension, 0, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		d, err := dimension.Parse(name)
		if err != nil {
			p.fail("by", "by: %v", err)
		}
		all = append(all, d)
	}
	return all
}
