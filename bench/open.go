package main

import (
	"context"
	"fmt"
	"time"
)

// measureOpen starts a collector on stores of different sizes, and takes the time until it answers. The files are in the page cache.
func measureOpen(ctx context.Context, l *lab) (section, error) {
	var f figures
	empty, err := l.openings(ctx, &f, "empty", "an empty store", 0, nil)
	if err != nil {
		return section{}, err
	}
	numbers := []int{l.openEvents}
	if l.large {
		numbers = append(numbers, 10*l.openEvents)
	}
	for i, number := range numbers {
		key := []string{"full", "large"}[i]
		memory, err := l.openings(ctx, &f, key, fmt.Sprintf("%s events in full blocks", count(float64(number))), number, func(ctx context.Context, p *peer) error {
			return l.fill(ctx, p, number, eventTypes)
		})
		if err != nil {
			return section{}, err
		}
		f.add("index_"+key, fmt.Sprintf("%s events in full blocks: memory beyond the empty store's, per event", count(float64(number))), "bytes", (memory-empty)/float64(number))
	}
	if l.large {
		name := fmt.Sprintf("%s blocks of one event", count(float64(l.singles)))
		memory, err := l.openings(ctx, &f, "singles", name, l.singles, func(ctx context.Context, p *peer) error {
			one := newHTTPSender(p.http, p.path)
			defer one.Close()
			if o := sendAll(ctx, []sender{one}, newWriter("middle").requests(1), l.singles); o.err != nil {
				return o.err
			}
			return ctx.Err()
		})
		if err != nil {
			return section{}, err
		}
		f.add("index_singles", name+": memory beyond the empty store's", "MiB", (memory-empty)/(1<<20))
	}
	return section{Figures: f.all}, nil
}

// openings fills a store, opens it as often as there are rounds, removes it, and is the memory that the opened one needs: the
// median, in bytes.
func (l *lab) openings(ctx context.Context, f *figures, key, name string, number int, fill func(context.Context, *peer) error) (float64, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, func(v *values) {
		v.MaxBytes = "256GiB"
		v.Sync = "10s" // filling is not what is measured
	})
	if err != nil {
		return 0, err
	}
	if fill != nil {
		if err := fill(ctx, p); err != nil {
			return 0, err
		}
	}
	s, err := p.stats(ctx)
	if err != nil {
		return 0, err
	}
	var memory []float64
	for range l.rounds {
		if err := p.stop(); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := p.restart(ctx); err != nil {
			return 0, err
		}
		took := time.Since(start)
		again, err := p.stats(ctx)
		if err != nil {
			return 0, err
		}
		if again.Events != s.Events {
			return 0, fmt.Errorf("%s: %d events were stored, %d are there after a restart", name, s.Events, again.Events)
		}
		if err := quiet(ctx, p.procs); err != nil {
			return 0, err
		}
		now, _, err := residentMemory(p.main.pid())
		if err != nil {
			return 0, err
		}
		memory = append(memory, float64(now))
		f.add("open_"+key, name+": start to first answer", "s", took.Seconds())
		f.add("memory_"+key, name+": RSS once opened", "MiB", float64(now)/(1<<20))
		l.say("%s, %d blocks: open after %v, %d MiB", name, s.Blocks, took.Round(time.Millisecond), now>>20)
	}
	if number > 0 && key == "singles" {
		f.add("blocks_"+key, name+": blocks there are", "blocks", float64(s.Blocks))
	}
	return spreadOf(memory).Median, l.discard(p)
}
