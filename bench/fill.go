package main

import (
	"context"
	"fmt"
)

// fill stores at least as many events of middle size in a peer, in large requests, of the given
// types.
func (l *lab) fill(ctx context.Context, p *peer, events int, types []string) error {
	const perRequest, connections = 1000, 4
	w := newWriter("middle")
	requests := make([][]byte, 64)
	for i := range requests {
		requests[i] = w.request(min(perRequest, events), types)
	}
	all, err := p.senders("http", connections)
	if err != nil {
		return err
	}
	defer closeAll(all)
	o := sendAll(ctx, all, requests, (events+perRequest-1)/perRequest)
	if o.err != nil {
		return fmt.Errorf("store %d events: %w", events, o.err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return quiet(ctx, p.procs)
}

// filled is a store on disk with as many events, of which the first hundredth has a type and a
// source of its own.
func (l *lab) filled(ctx context.Context, events int) (*peer, int64, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, func(v *values) { v.MaxBytes = "64GiB" })
	if err != nil {
		return nil, 0, err
	}
	if err := l.fill(ctx, p, events/100, []string{"rare.thing_happened"}); err != nil {
		return nil, 0, err
	}
	if err := l.fill(ctx, p, events-events/100, eventTypes); err != nil {
		return nil, 0, err
	}
	s, err := p.stats(ctx)
	return p, s.Events, err
}
