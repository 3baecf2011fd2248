package store

import (
	"sync/atomic"
	"time"

	"github.com/isbl/telemetry/internal/store/index"
)

// Work gathers what an answer took, for those who want to know why it is slow. The zero value is
// ready. It is safe for concurrent use. Several calls may share one. The nil Work gathers nothing.
type Work struct {
	byTime, byName, bySideIndex, byIndex, inMemory, opened atomic.Uint64 // blocks
	events, bytesRead, bytesOpened                         atomic.Uint64
	times                                                  [steps]atomic.Int64
}

// step is a part of the work whose time is taken.
type step int

const (
	stepIndex step = iota
	stepSideIndex
	stepRead
	stepOpen
	stepMatch
	steps
)

// Explanation is what a Work has gathered.
type Explanation struct {
	Blocks BlocksExplained `json:"blocks"`
	// Events is how many events were looked at, one by one.
	Events uint64 `json:"events"`
	// BytesRead are of blocks as they are stored, BytesOpened of what they became.
	BytesRead   uint64 `json:"bytes_read"`
	BytesOpened uint64 `json:"bytes_opened"`
	// Milliseconds are by step. Those of several goroutines are added up.
	Milliseconds StepsExplained `json:"milliseconds"`
}

// BlocksExplained says what became of blocks. Considered are all of them.
type BlocksExplained struct {
	Considered uint64 `json:"considered"`
	LeftOut    struct {
		ByTime uint64 `json:"by_time"`
		// ByType is by event type, source or severity.
		ByType      uint64 `json:"by_type"`
		BySideIndex uint64 `json:"by_side_index"`
	} `json:"left_out"`
	// CountedByIndex did not have to be looked at to count their events.
	CountedByIndex uint64 `json:"counted_by_index"`
	InMemory       uint64 `json:"in_memory"`
	Opened         uint64 `json:"opened"`
}

// StepsExplained is time by step.
type StepsExplained struct {
	Index     float64 `json:"index"`
	SideIndex float64 `json:"side_index"`
	Read      float64 `json:"read"`
	// Open is checking and decompressing blocks, and finding their records.
	Open  float64 `json:"open"`
	Match float64 `json:"match"`
}

// Explain returns what was gathered so far.
func (w *Work) Explain() *Explanation {
	e := &Explanation{Events: w.events.Load(), BytesRead: w.bytesRead.Load(), BytesOpened: w.bytesOpened.Load()}
	b := &e.Blocks
	b.LeftOut.ByTime, b.LeftOut.ByType, b.LeftOut.BySideIndex = w.byTime.Load(), w.byName.Load(), w.bySideIndex.Load()
	b.CountedByIndex, b.InMemory, b.Opened = w.byIndex.Load(), w.inMemory.Load(), w.opened.Load()
	b.Considered = b.LeftOut.ByTime + b.LeftOut.ByType + b.LeftOut.BySideIndex + b.CountedByIndex + b.InMemory + b.Opened
	in := func(s step) float64 { return float64(time.Duration(w.times[s].Load()).Microseconds()) / 1000 }
	e.Milliseconds = StepsExplained{in(stepIndex), in(stepSideIndex), in(stepRead), in(stepOpen), in(stepMatch)}
	return e
}

// begin returns when a step begins, for took.
func (w *Work) begin() (start time.Time) {
	if w != nil {
		start = time.Now()
	}
	return start
}

func (w *Work) took(s step, start time.Time) {
	if w != nil {
		w.times[s].Add(int64(time.Since(start)))
	}
}

// leftOut counts blocks that the index left out before a span.
func (w *Work) leftOut(s *index.Span) {
	if w != nil {
		w.byTime.Add(s.ByTime)
		w.byName.Add(s.ByName)
	}
}

// counted counts the blocks of a span that the index knew enough of.
func (w *Work) counted(s index.Span) {
	if w != nil {
		w.byIndex.Add(s.Last - s.First + 1)
	}
}

// excluded counts blocks that the side index left out.
func (w *Work) excluded(blocks uint64) {
	if w != nil {
		w.bySideIndex.Add(blocks)
	}
}

// found counts a block that was in memory.
func (w *Work) found() {
	if w != nil {
		w.inMemory.Add(1)
	}
}

// read counts a block that was read, by its size.
func (w *Work) read(stored int) {
	if w != nil {
		w.opened.Add(1)
		w.bytesRead.Add(uint64(stored))
	}
}

// decompressed counts what a block became.
func (w *Work) decompressed(raw int) {
	if w != nil {
		w.bytesOpened.Add(uint64(raw))
	}
}

// matched counts events that were looked at since start.
func (w *Work) matched(events int, start time.Time) {
	if w != nil {
		w.events.Add(uint64(events))
		w.took(stepMatch, start)
	}
}
