package main

import (
	"context"
	"sync"
	"time"
)

// outcome is what became of the requests of some time.
type outcome struct {
	answered, failed int
	latencies        latencies // of the answered ones
	elapsed          time.Duration
	err              error // the first failure
}

func newOutcome() outcome { return outcome{latencies: newLatencies()} }

// add returns the sum of both.
func (o outcome) add(other outcome) outcome {
	o.answered += other.answered
	o.failed += other.failed
	o.latencies.merge(other.latencies)
	if o.err == nil {
		o.err = other.err
	}
	return o
}

// closedLoop lets each connection send its next request when the last one is answered, for a time.
func closedLoop(ctx context.Context, all []sender, requests [][]byte, d time.Duration) outcome {
	start := time.Now()
	return drive(all, func(one sender, number int) outcome {
		o := newOutcome()
		for i := number; ctx.Err() == nil && time.Since(start) < d; i++ {
			o = o.send(one, requests[i%len(requests)])
		}
		return o
	})
}

// sendAll sends a number of requests over all connections, as fast as they are answered.
func sendAll(ctx context.Context, all []sender, requests [][]byte, number int) outcome {
	return drive(all, func(one sender, first int) outcome {
		o := newOutcome()
		for i := first; i < number && ctx.Err() == nil && o.err == nil; i += len(all) {
			o = o.send(one, requests[i%len(requests)])
		}
		return o
	})
}

// drive runs a function for each connection at the same time.
func drive(all []sender, work func(one sender, number int) outcome) outcome {
	outcomes := make([]outcome, len(all))
	start := time.Now()
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { outcomes[i] = work(one, i) })
	}
	wg.Wait()
	sum := newOutcome()
	for _, o := range outcomes {
		sum = sum.add(o)
	}
	sum.elapsed = time.Since(start)
	return sum
}

// send sends one request. After a failure it waits a little, so that a server which refuses is not
// asked a million times.
func (o outcome) send(one sender, request []byte) outcome {
	start := time.Now()
	if err := one.send(request); err != nil {
		o.failed++
		if o.err == nil {
			o.err = err
		}
		time.Sleep(10 * time.Millisecond)
		return o
	}
	o.answered++
	o.latencies.add(time.Since(start))
	return o
}
