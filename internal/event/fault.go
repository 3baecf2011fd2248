package event

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/isbl/telemetry/internal/text"
)

// Reasons why an event is not taken.
const (
	// ReasonMalformed is for what is not JSON, names a member twice, or has text that is not UTF-8.
	ReasonMalformed = "malformed"
	// ReasonMissing is for a required field that is missing or empty.
	ReasonMissing = "missing_field"
	// ReasonUnknown is for a field that an event does not have.
	ReasonUnknown = "unknown_field"
	// ReasonKind is for a value of the wrong kind: a number where text belongs.
	ReasonKind = "wrong_kind"
	// ReasonValue is for a value of the right kind that is not allowed.
	ReasonValue = "invalid_value"
	// The limits.
	ReasonTooDeep       = "too_deep"
	ReasonTooLarge      = "too_large"
	ReasonAttributes    = "too_many_attributes"
	ReasonStringTooLong = "string_too_long"
)

// TooDeep is the detail of ReasonTooDeep where the limit is MaxDepth.
var TooDeep = fmt.Sprintf("nested deeper than %d levels", MaxDepth)

// Fault is what is wrong with one value of an event, and where the value is.
type Fault struct {
	// Pointer is the place as RFC 6901 writes it, counted from the event; "" is the event itself.
	Pointer string
	// Reason is one of the reasons above. Detail continues after the name of the value: "must not
	// be empty".
	Reason, Detail string
	// EventID, EventType and Source are what the event calls itself, as far as it was read.
	EventID, EventType, Source string
}

// NewFault returns a fault of a value that In places.
func NewFault(reason, format string, args ...any) *Fault {
	return &Fault{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// CheckDepth returns the fault of a list or a map that is nested too deep; nil for none. The values
// of Data and Metadata have the depth 1.
func CheckDepth(depth int) *Fault {
	if depth > MaxDepth {
		return NewFault(ReasonTooDeep, "is %s", TooDeep)
	}
	return nil
}

// In says that the value is in the entry or element of this name.
func (f *Fault) In(name string) *Fault {
	f.Pointer = Member(name) + f.Pointer
	return f
}

// At places the fault at a pointer.
func (f *Fault) At(pointer string) *Fault {
	f.Pointer = pointer + f.Pointer
	return f
}

// Member is the pointer to a member of the event.
func Member(name string) string { return string(jsontext.Pointer("").AppendToken(name)) }

// Error names the value by the names on its path, with dots between them.
func (f *Fault) Error() string {
	if f.Pointer == "" {
		return f.Detail
	}
	var path []string
	for name := range jsontext.Pointer(f.Pointer).Tokens() {
		path = append(path, name)
	}
	return Shorten(strings.Join(path, ".")) + " " + f.Detail
}

// Shorten returns a text that came from outside as a fault shows it: at most 128 bytes.
func Shorten(s string) string {
	const shown = 128
	return text.Shorten(s, shown)
}
