package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"
)

// measureLatency sends 10 000 events a second, 100 in a request, and looks at one live stream. Each
// event carries the time when its request was due, so that waiting for a slow answer counts.
func measureLatency(ctx context.Context, l *lab) (section, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, nil)
	if err != nil {
		return section{}, err
	}
	var f figures
	for range l.rounds {
		seen, err := l.watchLatency(ctx, p)
		if err != nil {
			return section{}, err
		}
		p50, p99 := seen.percentile(50), seen.percentile(99)
		l.say("%d events seen after %.2f ms (p50), %.2f ms (p99)", seen.count(), p50, p99)
		f.add("p50", "10 000 events/s", "p50 ms", float64(p50))
		f.add("p99", "10 000 events/s", "p99 ms", float64(p99))
	}
	return section{Figures: f.all}, nil
}

// watchLatency returns how long each event of one round took.
func (l *lab) watchLatency(ctx context.Context, p *peer) (latencies, error) {
	const perRequest, pause = 100, 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, l.duration+30*time.Second)
	defer cancel()
	answer, err := p.get(ctx, "events/stream", url.Values{"format": {"ndjson"}})
	if err != nil {
		return latencies{}, err
	}
	defer answer.Body.Close()
	requests := max(1, int(l.duration/pause))

	var seen latencies
	var readErr error
	var reading sync.WaitGroup
	reading.Go(func() {
		seen, readErr = ages(answer.Body, requests*perRequest*999/1000) // the sampler takes some
		cancel()
	})
	if err := sendPaced(ctx, p, requests, perRequest, pause); err != nil {
		cancel()
		reading.Wait()
		return latencies{}, err
	}
	reading.Wait()
	if readErr != nil {
		return latencies{}, fmt.Errorf("only %d of %d events were seen: %w", seen.count(), requests*perRequest, readErr)
	}
	return seen, nil
}

// sendPaced sends requests one pause after the other, whether the last ones are answered or not.
func sendPaced(ctx context.Context, p *peer, requests, perRequest int, pause time.Duration) error {
	const connections = 8
	all, err := p.senders("http", connections)
	if err != nil {
		return err
	}
	defer closeAll(all)
	due := make(chan []byte, requests)
	failed := make(chan error, requests)
	var wg sync.WaitGroup
	for _, one := range all {
		wg.Go(func() {
			for request := range due {
				if err := one.send(request); err != nil {
					failed <- err
				}
			}
		})
	}
	w := newWriter("middle")
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for range requests {
		if ctx.Err() != nil {
			break
		}
		due <- w.request(perRequest, eventTypes)
		<-ticker.C
	}
	close(due)
	wg.Wait()
	close(failed)
	return <-failed
}

// ages reads number events from a stream, and returns how old each was when it arrived.
func ages(stream io.Reader, number int) (latencies, error) {
	seen := newLatencies()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for seen.count() < int64(number) && lines.Scan() {
		_, rest, found := bytes.Cut(lines.Bytes(), []byte(`"timestamp":"`))
		text, _, _ := bytes.Cut(rest, []byte(`"`))
		if !found {
			continue // a heartbeat
		}
		sent, err := time.Parse(time.RFC3339Nano, string(text))
		if err != nil {
			return seen, err
		}
		seen.add(time.Since(sent))
	}
	if seen.count() < int64(number) {
		return seen, errors.Join(lines.Err(), errors.New("the stream ended"))
	}
	return seen, nil
}
