package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// viewers are streams of a peer that are read as fast as they come.
type viewers struct {
	peer   *peer
	number int
	query  url.Values
	cancel context.CancelFunc
	wg     sync.WaitGroup
	events atomic.Int64 // seen by all of them together
	failed atomic.Int64 // streams that ended before they should
	opened time.Time
	took   time.Duration // from when all were open to when they were closed
}

// begin opens the streams, from now on, and waits until that has come to rest.
func (v *viewers) begin(ctx context.Context) error {
	ctx, v.cancel = context.WithCancel(ctx)
	query := url.Values{"format": {"ndjson"}}
	for name, value := range v.query {
		query[name] = value
	}
	for range v.number {
		answer, err := v.peer.get(ctx, "events/stream", query)
		if err != nil {
			v.end()
			return err
		}
		v.wg.Go(func() {
			defer answer.Body.Close()
			v.count(answer.Body)
			if ctx.Err() == nil {
				v.failed.Add(1)
			}
		})
	}
	if err := quiet(ctx, v.peer.procs); err != nil {
		v.end()
		return err
	}
	v.opened = time.Now()
	return nil
}

// count counts lines until the stream ends. A heartbeat is a line too, but there are four of them a
// minute.
func (v *viewers) count(stream io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := stream.Read(buffer)
		v.events.Add(int64(bytes.Count(buffer[:n], []byte("\n"))))
		if err != nil {
			return
		}
	}
}

func (v *viewers) end() {
	v.took = time.Since(v.opened)
	v.cancel()
	v.wg.Wait()
}

// audience is who looks on while events are written.
type audience struct {
	key, name string
	viewers   int
	query     url.Values
}

// measureStreams writes as fast as it is answered, 100 events a request over 4 connections, while
// nobody, somebody and many look on.
func measureStreams(ctx context.Context, l *lab) (section, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, nil)
	if err != nil {
		return section{}, err
	}
	audiences := []audience{
		{"none", "nobody looks on", 0, nil},
		{"1", "1 viewer of everything", 1, nil},
		{"10", "10 viewers of everything", 10, nil},
		{"many", fmt.Sprintf("%d viewers of everything", l.viewers), l.viewers, nil},
		{"idle", fmt.Sprintf("%d viewers of a type that does not come", l.viewers), l.viewers, url.Values{"event_type": {"nothing.*"}}},
	}
	work := load{"middle", "http", 100, 4, 0}
	requests := newWriter(work.Size).requests(work.Events)
	var f figures
	for range l.rounds {
		var alone cell
		for i, a := range audiences {
			v := &viewers{peer: p, number: a.viewers, query: a.query}
			c, err := l.measureCell(ctx, p, work, requests, v)
			if err == nil && v.failed.Load() > 0 {
				err = errors.New("a stream ended early")
			}
			if err != nil {
				return section{}, fmt.Errorf("%s: %w", a.name, err)
			}
			if i == 0 {
				alone = c
			}
			delivered := float64(v.events.Load()) / v.took.Seconds()
			l.say("%-44s %9.0f events/s written, %9.0f delivered, %6.2f µs/event", a.name, c.EventsPerSecond, delivered, c.CPU)
			a.report(&f, c, alone, delivered)
		}
	}
	return section{Figures: f.all}, nil
}

func (a audience) report(f *figures, c, alone cell, delivered float64) {
	f.add("written_"+a.key, a.name, "events/s written", float64(c.EventsPerSecond))
	f.add("cpu_"+a.key, a.name, "CPU µs per event written", float64(c.CPU))
	f.add("p99_"+a.key, a.name, "p99 ms of the answers", float64(c.P99))
	if a.viewers > 0 {
		f.add("delivered_"+a.key, a.name, "events/s delivered", delivered)
		f.add("ratio_"+a.key, a.name, "CPU beside nobody, ×", float64(c.CPU/alone.CPU))
	}
}
