// Package account counts what became of events, by type, so that every reading adds up.
//
// Each event is counted once, for its type and one Outcome. All other numbers are sums of these,
// made when they are read: so they add up by construction, and counting what is not kept costs no
// lock.
package account

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/isbl/telemetry/internal/eventtype"
)

// Outcome is what became of an event when it was emitted.
type Outcome uint8

const (
	// Kept went into the buffer.
	Kept Outcome = iota
	// Filtered has a type that is not selected.
	Filtered
	// SampledOut is not in the sample.
	SampledOut
	// Disabled came while the service was disabled.
	Disabled
	// NotRunning came before the start or after the stop.
	NotRunning
	// Invalid cannot be an event.
	Invalid
	// Overflow did not fit.
	Overflow

	outcomes
)

const maxTypeBytes = 128 // a name is never forgotten

// Type counts the events of one type.
type Type struct {
	// Name is the event type, or eventtype.Others.
	Name string
	// Wanted says whether the type is selected. It does not count for eventtype.Others.
	Wanted bool

	counts [outcomes]atomic.Uint64 // except Kept

	// Guarded by the callers of Keep and Table.Read.
	kept      uint64
	estimated float64
}

// Add counts an event that was not kept.
func (t *Type) Add(o Outcome) { t.counts[o].Add(1) }

// Keep counts an event that was kept and stands for so many. It and Table.Read must not run at the
// same time.
func (t *Type) Keep(adjustedCount float64) {
	t.kept++
	t.estimated += adjustedCount
}

// Counts is a reading of a Type.
type Counts struct {
	Name string
	// By is the number of events by Outcome.
	By [outcomes]uint64
	// Estimated is how many events those that were kept stand for.
	Estimated float64
}

// Table holds the types. It is safe for concurrent use.
type Table struct {
	wanted func(eventType string) bool
	known  atomic.Pointer[map[string]*Type] // never changed, only replaced
	other  Type
	mu     sync.Mutex // of those who replace it
}

// NewTable returns a table without types. wanted says whether a type is selected, and is asked once
// for most.
func NewTable(wanted func(eventType string) bool) *Table {
	t := &Table{wanted: wanted, other: Type{Name: eventtype.Others}}
	t.known.Store(&map[string]*Type{})
	return t
}

// Of returns where events of a type are counted, and whether the type is selected.
func (t *Table) Of(eventType string) (counts *Type, wanted bool) {
	if of, ok := (*t.known.Load())[eventType]; ok {
		return of, of.Wanted
	}
	return t.first(eventType)
}

// first is Of for a type that has no place of its own yet.
func (t *Table) first(eventType string) (*Type, bool) {
	wanted := t.wanted(eventType)
	if eventType == "" || eventType == eventtype.Others || len(eventType) > maxTypeBytes || len(*t.known.Load()) >= eventtype.MaxCounted {
		return &t.other, wanted
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := *t.known.Load()
	if of, ok := before[eventType]; ok {
		return of, wanted
	}
	if len(before) >= eventtype.MaxCounted {
		return &t.other, wanted
	}
	of := &Type{Name: strings.Clone(eventType), Wanted: wanted}
	after := make(map[string]*Type, len(before)+1)
	for name, t := range before {
		after[name] = t
	}
	after[of.Name] = of
	t.known.Store(&after)
	return of, wanted
}

// Read returns the numbers of every type that has some, in no order.
func (t *Table) Read() []Counts {
	known := *t.known.Load()
	all := make([]Counts, 0, len(known)+1)
	read := func(of *Type) {
		c := Counts{Name: of.Name, Estimated: of.estimated}
		some := of.kept
		for o := range c.By {
			c.By[o] = of.counts[o].Load()
			some += c.By[o]
		}
		c.By[Kept] = of.kept
		if some > 0 {
			all = append(all, c)
		}
	}
	for _, of := range known {
		read(of)
	}
	read(&t.other)
	return all
}
