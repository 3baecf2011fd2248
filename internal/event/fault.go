package event

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is what is wrong with a value. Its path is collected on the way out, so that values without a fault cost no text.
type Fault struct {
	path []string // names, from the inside out
	what string
}

// NewFault returns a fault of the value itself. The text continues after the path: "is too long".
func NewFault(format string, args ...any) *Fault { return &Fault{what: fmt.Sprintf(format, args...)} }

// In says that the fault lies in the map entry or list element of this name.
func (f *Fault) In(name string) *Fault {
	f.path = append(f.path, name)
	return f
}

func (f *Fault) Error() string {
	path := slices.Clone(f.path)
	slices.Reverse(path)
	return Shorten(strings.Join(path, ".")) + " " + f.what
}
