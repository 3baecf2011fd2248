package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/catalogue"
	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// maxDescribed is how many event types are listed, and maxDescribing how long new descriptions
	// may take: what was described is remembered, so that asking again goes on.
	maxDescribed  = 256
	maxDescribing = 2 * time.Second
)

func (h *Handler) eventTypesCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/event-types",
		Description: "The event types that are kept, the most frequent first, with the fields of their data: kinds, share, values, and what changed lately. Fields are those of a sample: the oldest and the newest hundred events.",
		Parameters:  slices.DeleteFunc(filterParameters(), func(p parameter) bool { return p.Name != "event_type" }),
		Examples:    []string{prefix + "/event-types", prefix + "/event-types?event_type=user.*"},
		serve:       h.serveEventTypes,
	}
}

var byType, _ = dimension.Parse("event_type") // which there is

// eventType is one of the answer.
type eventType struct {
	EventType string  `json:"event_type"`
	Count     uint64  `json:"count"`
	Estimated float64 `json:"estimated"`
	*catalogue.Type
}

func (h *Handler) serveEventTypes(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	chosen := p.filter()
	if p.bad != nil {
		return p.bad
	}
	ctx, stop, bad := h.scan(w, r)
	if bad != nil {
		return bad
	}
	defer stop(nil)
	g := grouping{by: byType, top: maxDescribed}
	table, _, err := h.count(ctx, stop, chosen, store.Part{}, &g)
	if err != nil {
		return h.scanProblem(ctx, r, err, "")
	}
	all := table.Len()
	counts, _ := table.Groups(maxDescribed, maxRows)
	slices.SortStableFunc(counts, func(a, b *aggregate.Group) int { return cmp.Compare(b.Events, a.Events) })
	answer := struct {
		EventTypes []eventType `json:"event_types"`
		// Partial says that some have no description yet.
		Partial bool `json:"partial"`
		// MoreTypes is how many are not listed.
		MoreTypes int `json:"more_types,omitempty"`
	}{EventTypes: make([]eventType, len(counts)), MoreTypes: all - len(counts)}
	start := time.Now()
	for i := range answer.EventTypes {
		t := &answer.EventTypes[i]
		*t = eventType{EventType: counts[i].Key.Text, Count: counts[i].Events, Estimated: counts[i].Rows[0].Weight}
		if time.Since(start) > maxDescribing {
			answer.Partial = true
			continue
		}
		described, err := h.types.Describe(ctx, t.EventType, t.Count)
		if err != nil {
			return h.scanProblem(ctx, r, err, "")
		}
		t.Type = &described
	}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

// readType reads some events of a type for the catalogue.
func (h *Handler) readType(ctx context.Context, name string, newestFirst bool, limit int) ([]event.Event, error) {
	p := &params{values: url.Values{"event_type": {name}}, now: time.Now()}
	chosen := p.filter()
	if p.bad != nil {
		return nil, nil // a name that no pattern has, such as one with two commas
	}
	page, err := h.opts.Store.Read(ctx, store.Query{Filter: chosen, Descending: newestFirst, Limit: limit})
	if err != nil {
		return nil, err
	}
	events := make([]event.Event, 0, len(page.Entries))
	for i := range page.Entries {
		// The name may be a pattern of others too.
		if ref := page.Entries[i].Ref(); ref.EventType() == name {
			events = append(events, ref.Event())
		}
	}
	return events, nil
}
