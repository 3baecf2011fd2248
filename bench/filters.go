package main

import (
	"context"
	"net/url"
	"time"
)

// measureFilters asks questions to all of a store on disk. The figures are events of the store by
// the time of the answer, whether they had to be looked at or not.
func measureFilters(ctx context.Context, l *lab) (section, error) {
	p, events, err := l.filled(ctx, l.events)
	if err != nil {
		return section{}, err
	}
	questions := []struct {
		key, name, call string
		query           url.Values
	}{
		{"skips", "pages, a type that the index knows to be in one block of a hundred", "events", url.Values{"event_type": {"rare.*"}}},
		{"type", "pages, a type that is in every block, a fifth of the events", "events", url.Values{"event_type": {"user.*"}}},
		{"data", "pages, a value of the data, a sixth of the events", "events", url.Values{"data.http.status_code": {"500"}}},
		{"where", "pages, an OTTL condition, a sixth of the events", "events", url.Values{"where": {`attributes["http.status_code"] == 500`}}},
		{"where_none", "pages, an OTTL condition that holds for none", "events", url.Values{"where": {`attributes["duration_ms"] < 0`}}},
		{"counts", "counts by type, from the index", "counts", url.Values{"by": {"event_type"}}},
		{"aggregate", "aggregate: count, avg and p95 by type", "aggregate", url.Values{
			"field": {"data.duration_ms"}, "functions": {"count,avg,p95"}, "by": {"event_type"},
		}},
	}
	var f figures
	for range l.rounds {
		for _, q := range questions {
			start := time.Now()
			took := time.Duration(0)
			if q.call == "events" {
				q.query.Set("format", "ndjson")
				took, err = p.pass(ctx, q.query)
			} else {
				_, _, err = p.skim(ctx, q.call, q.query)
				took = time.Since(start)
			}
			if err != nil {
				return section{}, err
			}
			rate := float64(events) / took.Seconds()
			l.say("%-68s %11.0f events/s", q.name, rate)
			f.add(q.key, q.name, "events of the store/s", rate)
			if err := quiet(ctx, p.procs); err != nil {
				return section{}, err
			}
		}
	}
	return section{Figures: f.all}, nil
}
