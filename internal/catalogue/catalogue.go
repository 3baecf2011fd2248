// Package catalogue describes event types by some of the events that are kept of each: which
// fields their data has, of which kinds, and what changed lately.
package catalogue

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/event"
)

const (
	// sample is how many of the oldest and how many of the newest events of a type are looked at.
	sample = 100
	// maxSources is how many sources of a type are listed.
	maxSources = 20
	// fresh is how long a description is used while more events come, and kept is how long it is
	// used in any case: as many events may have gone as came.
	fresh = 10 * time.Second
	kept  = time.Minute
	// maxCached is how many descriptions are kept.
	maxCached = 1000
)

// Type describes an event type.
type Type struct {
	// First and Last are the times of the oldest and the newest event that is kept, by arrival;
	// nil where all events went away meanwhile.
	First *time.Time `json:"first,omitempty"`
	Last  *time.Time `json:"last,omitempty"`
	// Sources emitted the events that were looked at.
	Sources []string `json:"sources"`
	// Sampled is how many events were looked at: some of the oldest and of the newest.
	Sampled int `json:"sampled"`
	// Fields are those of the data of these events, in order of their paths.
	Fields []Field `json:"fields"`
	// MoreFields is how many fields are not listed.
	MoreFields int `json:"more_fields,omitempty"`
}

// Read returns at most limit events of a type, the oldest or the newest first.
type Read func(ctx context.Context, eventType string, newestFirst bool, limit int) ([]event.Event, error)

// Catalogue remembers descriptions for a while. It is safe for concurrent use.
type Catalogue struct {
	read Read

	mu    sync.Mutex
	cache map[string]description
}

type description struct {
	Type
	count uint64 // of events then
	at    time.Time
}

// New returns a Catalogue of the events that read returns.
func New(read Read) *Catalogue {
	return &Catalogue{read: read, cache: map[string]description{}}
}

// Describe returns the description of an event type, of which count events are kept now. The
// result is shared and must not be changed. Errors: those of Read.
func (c *Catalogue) Describe(ctx context.Context, eventType string, count uint64) (Type, error) {
	now := time.Now()
	c.mu.Lock()
	d, known := c.cache[eventType]
	c.mu.Unlock()
	if age := now.Sub(d.at); known && (age < fresh || age < kept && d.count == count) {
		return d.Type, nil
	}
	oldest, err := c.read(ctx, eventType, false, sample)
	if err != nil {
		return Type{}, err
	}
	newest, err := c.read(ctx, eventType, true, sample)
	if err != nil {
		return Type{}, err
	}
	d = description{Type: describe(oldest, newest), count: count, at: now}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cache) >= maxCached {
		maps.DeleteFunc(c.cache, func(_ string, d description) bool { return now.Sub(d.at) >= fresh })
	}
	if len(c.cache) < maxCached {
		c.cache[eventType] = d
	}
	return d.Type, nil
}

// describe looks at the oldest events of a type, the oldest first, and its newest ones, the
// newest first.
func describe(oldest, newest []event.Event) Type {
	slices.Reverse(newest)
	events := slices.Concat(oldest, newest)
	if i := overlap(oldest, newest); i > 0 {
		events = slices.Concat(oldest, newest[i:])
	}
	t := Type{Sources: []string{}, Sampled: len(events), Fields: []Field{}}
	if len(events) == 0 {
		return t
	}
	t.First, t.Last = &events[0].Timestamp, &events[len(events)-1].Timestamp
	// The older and the newer half are compared.
	before, after := newFields(), newFields()
	for i := range events {
		half := before
		if i >= len(events)/2 {
			half = after
		}
		half.add(events[i].Data)
		if !slices.Contains(t.Sources, events[i].Source) && len(t.Sources) < maxSources {
			t.Sources = append(t.Sources, events[i].Source)
		}
	}
	slices.Sort(t.Sources)
	t.Fields, t.MoreFields = list(before, after)
	return t
}

// overlap returns how many of newest are also in oldest, where there are few events in all.
func overlap(oldest, newest []event.Event) int {
	last := len(oldest) - 1
	for i := range newest {
		if last >= 0 && newest[i].EventID == oldest[last].EventID && newest[i].Source == oldest[last].Source {
			return i + 1
		}
	}
	return 0
}
