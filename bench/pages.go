package main

import (
	"context"
	"net/url"
	"strings"
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

// measurePages reads a store on disk from its start to its end: as one client, in each form, when
// it has been read before and when its process has just started.
func measurePages(ctx context.Context, l *lab) (section, error) {
	p, events, err := l.filled(ctx, l.events)
	if err != nil {
		return section{}, err
	}
	var f figures
	one := func(format, how string, query url.Values) error {
		took, err := p.pass(ctx, query)
		if err != nil {
			return err
		}
		rate := float64(events) / took.Seconds()
		l.say("%-8s %-40s %9.0f events/s", format, how, rate)
		f.add(format+", "+how, format, how+", events/s", rate)
		return quiet(ctx, p.procs)
	}
	formats := []string{"JSON", "NDJSON", "OTLP"}
	for range l.rounds {
		for _, format := range formats {
			query := url.Values{"format": {strings.ToLower(format)}}
			if err := p.restart(ctx); err != nil {
				return section{}, err
			}
			for _, how := range []string{"pages, first read after a restart", "pages, warm"} {
				if err := one(format, how, query); err != nil {
					return section{}, err
				}
			}
			if format == "JSON" {
				continue // it has no answer of any length
			}
			query.Set("limit", "all")
			if err := one(format, "everything in one answer, warm", query); err != nil {
				return section{}, err
			}
		}
	}
	return section{Figures: f.all}, nil
}
