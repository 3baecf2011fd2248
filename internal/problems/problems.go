// Package problems lets the store's API show what the components of the same collector refused
// and why, so that the team that sends bad events sees it without the collector's log. The
// components and the API meet in the registry.
package problems

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/text"
)

// Problem is an event, or a request, that was refused or looks wrong.
type Problem struct {
	Time time.Time `json:"time"`
	// EventID, EventType and Source are those of the event; empty where it has none, or was not
	// read.
	EventID   string `json:"event_id,omitempty"`
	EventType string `json:"event_type,omitempty"`
	Source    string `json:"source,omitempty"`
	// Pointer is the place in the request, as RFC 6901 writes it.
	Pointer string `json:"pointer,omitempty"`
	// Detail is a sentence about what is wrong.
	Detail string `json:"detail,omitempty"`
	// Value is the start of what was sent.
	Value string `json:"value,omitempty"`
}

// Report counts what one component refused, or suspects, for one reason.
type Report struct {
	Component string `json:"component"` // receiver/event
	Reason    string `json:"reason"`
	// Suspicious events were taken all the same.
	Suspicious bool `json:"suspicious"`
	// Count is in events; a request that nothing could be read of counts as one.
	Count uint64    `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Examples are the last ones, the newest first.
	Examples []Problem `json:"examples"`
}

const (
	// DefaultKeep is how many examples are kept for each reason.
	DefaultKeep = 10
	// MaxValue bounds the value of an example, and maxText its other texts, in bytes.
	MaxValue = 500
	maxText  = 200
)

// Options of a Log.
type Options struct {
	// Keep is how many examples are kept for each reason; zero is DefaultKeep.
	Keep int
	// Redact keeps no values and no details, since details may quote values.
	Redact bool
}

// Log counts the problems of a component. It is safe for concurrent use. A nil Log keeps nothing.
type Log struct {
	component *registry.Component
	options   Options
	forget    func()

	mu      sync.Mutex
	entries map[string]*entry // by reason
}

type entry struct {
	suspicious  bool
	count       uint64
	first, last time.Time
	examples    []Problem // the oldest first
}

var logs = registry.NewSlot[*Log]("problems")

// Open makes the problems of a component known to the collector with
// this instance id, until they are closed.
func Open(instanceID string, component *registry.Component, o Options) *Log {
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	l := &Log{component: component, options: o, entries: map[string]*entry{}}
	l.forget = logs.Add(instanceID, l)
	return l
}

// Close removes the component's problems. Calling it again does nothing.
func (l *Log) Close() {
	if l != nil {
		l.forget()
	}
}

// Refused counts events that were refused for a reason, and keeps one of them as an example.
func (l *Log) Refused(reason string, events int, example Problem) {
	l.add(reason, false, events, example)
}

// Suspicious counts events that look wrong and were taken, and keeps one of them as an example.
func (l *Log) Suspicious(reason string, events int, example Problem) {
	l.add(reason, true, events, example)
}

func (l *Log) add(reason string, suspicious bool, events int, p Problem) {
	if l == nil || events <= 0 {
		return
	}
	p.shorten(l.options.Redact)
	p.Time = time.Now().UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[reason]
	if e == nil {
		e = &entry{suspicious: suspicious, first: p.Time}
		l.entries[reason] = e
	}
	e.count += uint64(events)
	e.last = p.Time
	if len(e.examples) == l.options.Keep {
		e.examples = slices.Delete(e.examples, 0, 1)
	}
	e.examples = append(e.examples, p)
}

func (p *Problem) shorten(redact bool) {
	if redact {
		p.Detail, p.Value = "", ""
	}
	for _, text := range []*string{&p.EventID, &p.EventType, &p.Source, &p.Pointer, &p.Detail} {
		*text = cut(*text, maxText)
	}
	p.Value = cut(p.Value, MaxValue)
}

// cut copies what it keeps, so that an example keeps no request in memory.
func cut(s string, most int) string { return strings.Clone(text.Shorten(s, most)) }

// Reports reads the problems of those components of a collector that shown wants, sorted by
// component and reason; nil wants all. Those of instances of one component are added up. The caller
// owns the result.
func Reports(instanceID string, shown func(*registry.Component) bool) []Report {
	all := []Report{}
	for _, l := range logs.All(instanceID) {
		if shown != nil && !shown(l.component) {
			continue
		}
		for _, more := range l.reports() {
			i := slices.IndexFunc(all, func(r Report) bool { return r.Component == more.Component && r.Reason == more.Reason })
			if i < 0 {
				all = append(all, more)
				continue
			}
			all[i].add(more, l.options.Keep)
		}
	}
	slices.SortFunc(all, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

func (l *Log) reports() []Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Report, 0, len(l.entries))
	for reason, e := range l.entries {
		examples := slices.Clone(e.examples)
		slices.Reverse(examples)
		all = append(all, Report{
			Component: l.component.Name(), Reason: reason, Suspicious: e.suspicious, Count: e.count, First: e.first, Last: e.last, Examples: examples,
		})
	}
	return all
}

// add adds the report of another instance of the component.
func (r *Report) add(more Report, keep int) {
	r.Count += more.Count
	if more.First.Before(r.First) {
		r.First = more.First
	}
	if more.Last.After(r.Last) {
		r.Last = more.Last
	}
	r.Examples = append(r.Examples, more.Examples...)
	slices.SortStableFunc(r.Examples, func(a, b Problem) int { return b.Time.Compare(a.Time) })
	r.Examples = r.Examples[:min(keep, len(r.Examples))]
}
