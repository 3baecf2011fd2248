package main

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// pass reads a whole store, page by page, and tells how long that took.
func (p *peer) pass(ctx context.Context, query url.Values) (time.Duration, error) {
	start := time.Now()
	q := url.Values{"limit": {"10000"}}
	for name, value := range query {
		q[name] = value
	}
	for {
		header, _, err := p.skim(ctx, "events", q)
		if err != nil {
			return 0, err
		}
		if header.Get("Event-More") != "true" {
			return time.Since(start), nil
		}
		q.Set("after", header.Get("Event-Next"))
	}
}

// measurePages reads a store on disk from its start to its end: as one client, in each form, when it has been read before and
// when its process has just started.
func measurePages(ctx context.Context, l *lab) (section, error) {
	p, events, err := l.filled(ctx, l.events)
	if err != nil {
		return section{}, err
	}
	var f figures
	one := func(key, name string, query url.Values) error {
		took, err := p.pass(ctx, query)
		if err != nil {
			return err
		}
		rate := float64(events) / took.Seconds()
		l.say("%-44s %9.0f events/s", name, rate)
		f.add(key, name, "events/s", rate)
		return quiet(ctx, p.procs)
	}
	formats := []struct{ key, name string }{{"json", "JSON"}, {"ndjson", "NDJSON"}, {"otlp", "OTLP"}}
	for range l.rounds {
		for _, format := range formats {
			query := url.Values{"format": {format.key}}
			if err := p.restart(ctx); err != nil {
				return section{}, err
			}
			if err := one(format.key+"_restarted", fmt.Sprintf("pages as %s, first read after a restart", format.name), query); err != nil {
				return section{}, err
			}
			if err := one(format.key, fmt.Sprintf("pages as %s, warm", format.name), query); err != nil {
				return section{}, err
			}
		}
		for _, format := range formats[1:] {
			query := url.Values{"format": {format.key}, "limit": {"all"}}
			if err := one(format.key+"_all", fmt.Sprintf("one answer as %s (limit=all), warm", format.name), query); err != nil {
				return section{}, err
			}
		}
	}
	return section{Figures: f.all}, nil
}
