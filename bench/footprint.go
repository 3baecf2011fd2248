package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// measureFootprint stores events of middle size, and looks at what they take: on disk, and in
// memory with two settings of the garbage collector.
func measureFootprint(ctx context.Context, l *lab) (section, error) {
	var f figures
	p, events, err := l.filled(ctx, l.events)
	if err != nil {
		return section{}, err
	}
	s, err := p.stats(ctx)
	if err != nil {
		return section{}, err
	}
	if err := p.stop(); err != nil {
		return section{}, err
	}
	onDisk, err := sizeOf(p.values.Data)
	if err != nil {
		return section{}, err
	}
	sent := float64(len(newWriter("middle").request(1000, eventTypes))) / 1000
	f.add("sent", "as it is sent, in OTLP", "bytes per event", sent)
	f.add("blocks", "in its block, compressed", "bytes per event", float64(s.Bytes)/float64(events))
	f.add("disk", "on disk, with all files of the store", "bytes per event", float64(onDisk)/float64(events))
	if err := l.discard(p); err != nil {
		return section{}, err
	}
	for _, gogc := range []int{100, 25} {
		if err := l.memoryFootprint(ctx, &f, gogc); err != nil {
			return section{}, err
		}
	}
	return section{Figures: f.all}, nil
}

// memoryFootprint fills a store in memory.
func (l *lab) memoryFootprint(ctx context.Context, f *figures, gogc int) error {
	p, err := l.launch(ctx, specOf("memory"), gogc, func(v *values) { v.MaxBytes = "16GiB" })
	if err != nil {
		return err
	}
	if err := l.fill(ctx, p, l.memoryEvents, eventTypes); err != nil {
		return err
	}
	now, peak, err := residentMemory(p.main.pid())
	if err != nil {
		return err
	}
	const spared = 100 << 20 // what the process may have without any event
	f.add(fmt.Sprint("memory_", gogc), fmt.Sprintf("in memory at GOGC=%d, RSS beyond 100 MiB", gogc), "bytes per event", float64(now-spared)/float64(l.memoryEvents))
	f.add(fmt.Sprint("peak_", gogc), fmt.Sprintf("in memory at GOGC=%d, peak RSS beyond 100 MiB", gogc), "bytes per event", float64(peak-spared)/float64(l.memoryEvents))
	l.say("memory at GOGC=%d: %d MiB, peak %d MiB, for %d events", gogc, now>>20, peak>>20, l.memoryEvents)
	return l.discard(p)
}

// sizeOf is the size of all files of a folder.
func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
