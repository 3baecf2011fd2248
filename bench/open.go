package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// measureOpen starts a collector on stores of different sizes, and takes the time until it answers.
// The files are in the page cache. What the index needs for an event is how much more of the heap
// is in use than for a tenth of the events: an open store needs some MiB whatever is in it.
func measureOpen(ctx context.Context, l *lab) (section, error) {
	full, single := " events in full blocks", " blocks of one event"
	stores := []opening{
		{"empty", "an empty store", 0, 0, ""},
		{"tenth", count(float64(l.openEvents/10)) + full, l.openEvents / 10, 1000, ""},
		{"full", count(float64(l.openEvents)) + full, l.openEvents, 1000, "tenth"},
	}
	if l.large {
		stores = append(stores,
			opening{"large", count(float64(10*l.openEvents)) + full, 10 * l.openEvents, 1000, "full"},
			opening{"few_singles", count(float64(l.singles/10)) + single, l.singles / 10, 1, ""},
			opening{"singles", count(float64(l.singles)) + single, l.singles, 1, "few_singles"})
	}
	var f figures
	heaps := map[string]float64{} // in bytes
	events := map[string]float64{}
	for _, s := range stores {
		heap, stored, err := l.measureOpening(ctx, &f, s)
		if err != nil {
			return section{}, fmt.Errorf("%s: %w", s.name, err)
		}
		heaps[s.key], events[s.key] = heap, stored
		if s.beside == "" {
			continue
		}
		perEvent := (heap - heaps[s.beside]) / (stored - events[s.beside])
		f.add("index_"+s.key, s.name, "index per event, bytes", perEvent)
		f.add("whole_"+s.key, s.name, "the whole index, MiB", perEvent*stored/(1<<20))
	}
	return section{Figures: f.all}, nil
}

// opening is a store to open, and the key of the smaller one that it is compared with.
type opening struct {
	key, name        string
	events, perBlock int
	beside           string
}

// measureOpening fills a store, opens it as often as there are rounds, and removes it. It returns
// what of the heap is in use, in bytes, the median, and how many events there are.
func (l *lab) measureOpening(ctx context.Context, f *figures, s opening) (heap, events float64, err error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, func(v *values) {
		v.MaxBytes = "256GiB"
		v.Sync = "10s" // filling is not what is measured
	})
	if err != nil {
		return 0, 0, err
	}
	if err := l.fillBlocks(ctx, p, s); err != nil {
		return 0, 0, err
	}
	stored, err := p.stats(ctx)
	if err != nil {
		return 0, 0, err
	}
	f.add("blocks_"+s.key, s.name, "blocks", float64(stored.Blocks))
	var heaps []float64
	for range l.rounds {
		if err := p.stop(); err != nil {
			return 0, 0, err
		}
		start := time.Now()
		if err := p.restart(ctx); err != nil {
			return 0, 0, err
		}
		took := time.Since(start)
		again, err := p.stats(ctx)
		if err != nil {
			return 0, 0, err
		}
		if again.Events != stored.Events {
			return 0, 0, fmt.Errorf("%d events were stored, %d are there after a restart", stored.Events, again.Events)
		}
		if err := quiet(ctx, p.procs); err != nil {
			return 0, 0, err
		}
		now, _, err := residentMemory(p.main.pid())
		if err != nil {
			return 0, 0, err
		}
		heap, err := p.heapInUse(ctx, 20*l.duration)
		if err != nil {
			return 0, 0, err
		}
		heaps = append(heaps, heap)
		f.add("open_"+s.key, s.name, "start to first answer, s", took.Seconds())
		f.add("rss_"+s.key, s.name, "RSS once opened, MiB", float64(now)/(1<<20))
		f.add("heap_"+s.key, s.name, "heap in use, MiB", heap/(1<<20))
		l.say("%s, %d blocks: open after %v, RSS %d MiB, heap in use %.1f MiB", s.name, stored.Blocks, took.Round(time.Millisecond), now>>20, heap/(1<<20))
	}
	return spreadOf(heaps).Median, float64(stored.Events), l.discard(p)
}

// fillBlocks stores events, as many in a block as wanted: what comes alone over one connection is a
// block of its own.
func (l *lab) fillBlocks(ctx context.Context, p *peer, s opening) error {
	if s.perBlock != 1 {
		return l.fill(ctx, p, s.events, eventTypes)
	}
	one := newHTTPSender(p.http, p.path)
	defer one.Close()
	o := sendAll(ctx, []sender{one}, newWriter("middle").requests(1), s.events)
	return errors.Join(o.err, ctx.Err())
}

// heapInUse is the least that the heap has while garbage is collected some times, in bytes: what it
// has right after a collection. Asking for statistics makes the garbage; where the time is short,
// there may not be enough of it.
func (p *peer) heapInUse(ctx context.Context, atMost time.Duration) (float64, error) {
	const collections = 4
	least, last := math.Inf(1), 0.0
	for start, seen := time.Now(), 0; seen < collections && time.Since(start) < atMost; {
		for range 20 {
			if _, err := p.stats(ctx); err != nil {
				return 0, err
			}
		}
		heap, err := p.metric(ctx, "otelcol_process_runtime_heap_alloc_bytes")
		if err != nil {
			return 0, err
		}
		if heap < last {
			seen++
		}
		least, last = min(least, heap), heap
	}
	return least, nil
}

// metric reads one of the collector's own metrics.
func (p *peer) metric(ctx context.Context, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+p.values.Metrics+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if found, _, _ := strings.Cut(series, "{"); found == name {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("%s has no metric %s", request.URL, name)
}
