// Package registry holds the state that is shared within the process.
//
// A Collector creates its components apart from each other and offers them no way to meet. Ours
// meet here: each kind of thing has a [Slot], which the package that owns the kind declares.
// Other packages keep no state in variables, only pools of memory and tables that never change.
//
//	slot      key                    what
//	buffers   service.instance.id    the event_buffer processors, which the API shows
//	receivers service.instance.id    the event receivers, where the API tells senders to send to
//	problems  service.instance.id    what components refused, which the API shows
//	scopes    service.instance.id    the stores, and of which components each tells
//	directories path                 the storage directories that are open, for errors
//	handover  component and port     events of a store in memory, for the one that replaces it
//	rules     instance and exporter  the alert rules that were read last, for files that are broken later
//	budget    none                   the memory of the process that requests share
//
// A Collector gives its service.instance.id to all of its components, so two collectors in one
// process do not see each other.
package registry

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// place is where the values of a slot are that share a key.
type place struct{ slot, key string }

// entry is one registered value. Its address tells it from equal ones.
type entry struct {
	value  any
	expiry *time.Timer // nil without
}

var (
	mu      sync.Mutex
	entries = map[place][]*entry{} // in order of registration; no list is empty
)

// Slot is one kind of registered values. It is safe for concurrent use.
type Slot[T any] struct{ name string }

// NewSlot declares a slot. Declare each name once, in the table above too.
func NewSlot[T any](name string) Slot[T] { return Slot[T]{name} }

// Add registers a value under a key, until remove is called. Calling remove again does nothing.
func (s Slot[T]) Add(key string, value T) (remove func()) {
	e := &entry{value: value}
	mu.Lock()
	defer mu.Unlock()
	s.add(key, e)
	return func() { s.remove(key, e) }
}

// All returns the values under a key, in order of registration.
func (s Slot[T]) All(key string) []T {
	mu.Lock()
	defer mu.Unlock()
	list := entries[place{s.name, key}]
	all := make([]T, len(list))
	for i, e := range list {
		all[i] = e.value.(T)
	}
	return all
}

// GetOrAdd returns the first value under a key. Where there is none it registers the one that
// create returns, for good. create must not use the registry.
func (s Slot[T]) GetOrAdd(key string, create func() T) T {
	mu.Lock()
	defer mu.Unlock()
	if list := entries[place{s.name, key}]; len(list) > 0 {
		return list[0].value.(T)
	}
	e := &entry{value: create()}
	s.add(key, e)
	return e.value.(T)
}

// Leave registers a value under a key, instead of those that are there, until Take is called or
// the time is over.
func (s Slot[T]) Leave(key string, value T, keep time.Duration) {
	e := &entry{value: value}
	mu.Lock()
	defer mu.Unlock()
	s.clear(key)
	s.add(key, e)
	e.expiry = time.AfterFunc(keep, func() { s.remove(key, e) })
}

// Take returns what was left under a key, and removes it. It returns false when nothing is there.
func (s Slot[T]) Take(key string) (value T, ok bool) {
	mu.Lock()
	defer mu.Unlock()
	list := entries[place{s.name, key}]
	if len(list) == 0 {
		return value, false
	}
	s.clear(key)
	return list[len(list)-1].value.(T), true
}

func (s Slot[T]) add(key string, e *entry) {
	at := place{s.name, key}
	entries[at] = append(entries[at], e)
}

func (s Slot[T]) remove(key string, e *entry) {
	mu.Lock()
	defer mu.Unlock()
	at := place{s.name, key}
	rest := slices.DeleteFunc(entries[at], func(other *entry) bool { return other == e })
	if len(rest) == 0 {
		delete(entries, at)
		return
	}
	entries[at] = rest
}

func (s Slot[T]) clear(key string) {
	at := place{s.name, key}
	for _, e := range entries[at] {
		if e.expiry != nil {
			e.expiry.Stop()
		}
	}
	delete(entries, at)
}

// InstanceID returns the service.instance.id of a component's telemetry resource, the key of
// what the components of one collector share. It is "" where there is none.
func InstanceID(res pcommon.Resource) string {
	if v, ok := res.Attributes().Get("service.instance.id"); ok {
		return v.AsString()
	}
	return ""
}
