package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// measureSync sends requests of 8 events over one connection. After each answer it writes the same
// bytes to a file in the same folder and syncs them, so that both meet the same disk at the same
// time.
func measureSync(ctx context.Context, l *lab) (section, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, nil)
	if err != nil {
		return section{}, err
	}
	file, err := os.Create(filepath.Join(p.dir, "beside"))
	if err != nil {
		return section{}, err
	}
	defer file.Close()
	requests := newWriter("middle").requests(8)
	connection := newHTTPSender(p.http, p.path)
	defer connection.Close()

	var f figures
	var end int64
	for range l.rounds {
		answers, syncs := newLatencies(), newLatencies()
		// A 99th percentile needs many.
		for start, i := time.Now(), 0; time.Since(start) < 2*l.duration && ctx.Err() == nil; i++ {
			request := requests[i%len(requests)]
			sent := time.Now()
			if err := connection.send(request); err != nil {
				return section{}, err
			}
			answered := time.Now()
			if err := pwriteSync(file, request, end); err != nil {
				return section{}, fmt.Errorf("write beside the store: %w", err)
			}
			end += int64(len(request))
			answers.add(answered.Sub(sent))
			syncs.add(time.Since(answered))
		}
		if ctx.Err() != nil {
			return section{}, ctx.Err()
		}
		f.add("answer_p50", "answer of the store", "p50 ms", float64(answers.percentile(50)))
		f.add("sync_p50", "the disk's own sync", "p50 ms", float64(syncs.percentile(50)))
		answer, disk := answers.percentile(99), syncs.percentile(99)
		f.add("answer_p99", "answer of the store", "p99 ms", float64(answer))
		f.add("sync_p99", "the disk's own sync", "p99 ms", float64(disk))
		f.add("ratio_p99", "one beside the other, ×", "p99 ms", float64(answer/disk))
		l.say("%d answers: p99 %.2f ms, beside a sync of %.2f ms", answers.count(), answer, disk)
	}
	return section{Figures: f.all}, nil
}
