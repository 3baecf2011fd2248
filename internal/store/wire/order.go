package wire

import (
	"slices"
	"strings"
)

// orders remember how data was sorted: most records of an event type have the same names in the
// same places, and to compare those takes half the time of sorting them.
type orders [8]order

type order struct {
	names []string // as they are in a record; they share its memory
	at    []int    // the places of the names, in the order of the names
}

// sorted returns the places of the members in the order of their names. Members with the same name
// stay in their order.
func (o *orders) sorted(members []member) []int {
	kind := uint(len(members))
	for i := range members {
		kind = 31*kind + uint(len(members[i].Name))
	}
	known := &o[kind%uint(len(o))]
	if !known.fits(members) {
		known.sort(members)
	}
	return known.at
}

func (o *order) fits(members []member) bool {
	if len(o.names) != len(members) {
		return false
	}
	for i, name := range o.names {
		if name != members[i].Name {
			return false
		}
	}
	return true
}

func (o *order) sort(members []member) {
	o.names, o.at = o.names[:0], o.at[:0]
	for i := range members {
		o.names, o.at = append(o.names, members[i].Name), append(o.at, i)
	}
	slices.SortStableFunc(o.at, func(a, b int) int { return strings.Compare(o.names[a], o.names[b]) })
}
