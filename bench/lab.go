package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lab is where a part is measured: a temporary folder, and the processes that were started there.
// Both end with it.
type lab struct {
	options
	dir  string
	mu   sync.Mutex
	live []*process
}

func newLab(o options) (*lab, error) {
	parent, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, dir: dir}
	for _, binary := range []*string{&l.ours, &l.stock, &l.natsServer} {
		if *binary, err = filepath.Abs(*binary); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// started makes the lab end a process with itself.
func (l *lab) started(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live = append(l.live, p)
}

// close ends what was started, the newest first: a collector before the server that it needs.
func (l *lab) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs error
	for i := len(l.live) - 1; i >= 0; i-- {
		errs = errors.Join(errs, l.live[i].stop())
	}
	l.live = nil
	return errors.Join(errs, os.RemoveAll(l.dir))
}

// discard ends a peer and removes its data, before the lab ends.
func (l *lab) discard(p *peer) error {
	return errors.Join(p.stop(), os.RemoveAll(p.dir))
}

// say tells the person who waits what is going on.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// quiet waits until the processes have nothing left to do: collecting garbage, sending on what they
// answered already, writing an index. Its cost then counts for the load that caused it.
func quiet(ctx context.Context, procs []measured) error {
	const (
		look    = 50 * time.Millisecond
		idle    = 2 * time.Millisecond // of CPU time in one look
		atMost  = 30 * time.Second
		inARow  = 2
		foreign = 4 // looks to wait where no process is known
	)
	if len(procs) == 0 {
		return sleep(ctx, foreign*look)
	}
	before, err := cpuOf(procs)
	if err != nil {
		return err
	}
	end := time.Now().Add(atMost)
	for calm := 0; calm < inARow && time.Now().Before(end); {
		if err := sleep(ctx, look); err != nil {
			return err
		}
		now, err := cpuOf(procs)
		if err != nil {
			return err
		}
		calm++
		for i := range now {
			if now[i]-before[i] > idle {
				calm = 0
			}
		}
		before = now
	}
	return nil
}

// cpuOf is the CPU time that each process has used so far.
func cpuOf(procs []measured) ([]time.Duration, error) {
	times := make([]time.Duration, len(procs))
	for i, p := range procs {
		var err error
		if times[i], err = cpuTime(p.pid); err != nil {
			return nil, err
		}
	}
	return times, nil
}

// sleep waits, but no longer than somebody wants to.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
