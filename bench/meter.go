package main

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"time"
)

// number is a figure that may be unknown: NaN, and null in JSON.
type number float64

var unknown = number(math.NaN())

// MarshalJSON keeps six digits, which is more than any measurement has.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	rounded := float64(n)
	if n != 0 {
		scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(rounded))))
		rounded = math.Round(rounded*scale) / scale
	}
	return json.Marshal(rounded)
}

// UnmarshalJSON reads null as unknown.
func (n *number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = unknown
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

func milliseconds(d time.Duration) number { return number(d.Seconds() * 1000) }

// meter knows what a peer's processes had used when it was made.
type meter struct {
	procs  []measured
	before []time.Duration
	own    time.Duration // of this program
}

// meter begins to measure the peer. Its peak of memory starts anew.
func (p *peer) meter() (*meter, error) {
	before, err := cpuOf(p.procs)
	if err != nil {
		return nil, err
	}
	for _, proc := range p.procs {
		if err := resetPeak(proc.pid); err != nil {
			return nil, err
		}
	}
	own, err := cpuTime(os.Getpid())
	return &meter{slices.Clone(p.procs), before, own}, err
}

// client is what this program used itself since then.
func (m *meter) client() time.Duration {
	own, err := cpuTime(os.Getpid())
	if err != nil {
		return 0 // which cannot be, since it was read before
	}
	return own - m.own
}

// read writes what the processes used since then into a cell.
func (m *meter) read(c *cell, events int) error {
	c.CPU, c.PeakRSS, c.Ratio = unknown, unknown, unknown
	if len(m.procs) == 0 {
		return nil
	}
	now, err := cpuOf(m.procs)
	if err != nil {
		return err
	}
	c.CPU, c.PeakRSS = 0, 0
	of := map[string]number{}
	for i, proc := range m.procs {
		_, peak, err := residentMemory(proc.pid)
		if err != nil {
			return err
		}
		used := perEvent(now[i]-m.before[i], events)
		of[proc.name] = used
		c.CPU += used
		c.PeakRSS += number(peak)
	}
	if len(of) > 1 {
		c.CPUOf = of
	}
	return nil
}

// perEvent is in microseconds.
func perEvent(d time.Duration, events int) number {
	if events == 0 {
		return unknown
	}
	return number(d.Seconds() * 1e6 / float64(events))
}
