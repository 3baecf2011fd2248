package block

import (
	"iter"
	"slices"

	"github.com/isbl/telemetry/internal/severity"
)

// Limits of one list of names in a block's headers.
const (
	maxNames     = 64
	maxNameBytes = 128
	maxListBytes = 7500
)

// Count says how many events there are and how many they stand for, which is more when they were
// sampled.
type Count struct {
	Events    uint64
	Estimated float64
}

func (c *Count) add(d Count) {
	c.Events += d.Events
	c.Estimated += d.Estimated
}

// NameCount counts the events with one name and, in a list of types, with one severity.
type NameCount struct {
	Name string
	// Severity is a severity without its step, 0 for events without one. It is 0 in a list of
	// sources, and where Header.Severities is not set.
	Severity severity.Number
	Count
}

// Names counts events by name.
type Names struct {
	// List has the entries of one name side by side.
	List []NameCount
	// Others counts the events that found no room in List.
	Others Count

	rest  map[string]Count // of Others, those whose names are known; the headers do not have it
	names int              // different ones in List
	bytes int              // at most the length of List in the header
}

// add counts c under a name and a severity.
func (n *Names) add(name string, level severity.Number, c Count) {
	end := -1 // of the entries of this name
	for i := range n.List {
		if n.List[i].Name != name {
			continue
		}
		if n.List[i].Severity == level {
			n.List[i].add(c)
			return
		}
		end = i + 1
	}
	size := maxCountBytes
	if end < 0 {
		length := encodedLen(name)
		if length > maxNameBytes {
			n.Others.add(c)
			return
		}
		if n.names == maxNames {
			n.addToRest(name, c)
			return
		}
		size += length
	}
	if n.bytes+size > maxListBytes {
		n.addToRest(name, c)
		return
	}
	n.bytes += size
	if end < 0 {
		n.names++
		end = len(n.List)
	}
	n.List = slices.Insert(n.List, end, NameCount{name, level, c})
}

func (n *Names) addToRest(name string, c Count) {
	n.Others.add(c)
	if n.rest == nil {
		n.rest = map[string]Count{}
	}
	known := n.rest[name]
	known.add(c)
	n.rest[name] = known
}

func (n *Names) merge(m *Names) {
	for _, nc := range m.List {
		n.add(nc.Name, nc.Severity, nc.Count)
	}
	for name, c := range m.rest {
		n.addToRest(name, c)
	}
	n.Others.add(m.unnamed())
}

// unnamed counts the events whose names are not known.
func (n *Names) unnamed() Count {
	c := n.Others
	for _, named := range n.rest {
		c.Events -= named.Events
		c.Estimated -= named.Estimated
	}
	return c
}

// All returns the count of each name, one name maybe several times, and that of the events whose
// names are not known as that of "". In a block that was not read from its headers only names
// longer than 128 bytes are not known.
func (n *Names) All() iter.Seq2[string, Count] {
	return func(yield func(string, Count) bool) {
		for _, nc := range n.List {
			if !yield(nc.Name, nc.Count) {
				return
			}
		}
		for name, c := range n.rest {
			if !yield(name, c) {
				return
			}
		}
		if c := n.unnamed(); c.Events > 0 {
			yield("", c)
		}
	}
}
