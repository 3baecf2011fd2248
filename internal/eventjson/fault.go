package eventjson

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
	// ReasonValue is for a value of the right kind that cannot be.
	ReasonValue = "invalid_value"
	// The limits.
	ReasonTooDeep       = "too_deep"
	ReasonAttributes    = "too_many_attributes"
	ReasonStringTooLong = "string_too_long"
)

// Fault is what is wrong with an event.
type Fault struct {
	// Pointer is where, as RFC 6901 has it, counted from the event; "" is the event itself.
	Pointer string
	// Reason is one of a few names, and Detail says it in words.
	Reason, Detail string
	// EventID, EventType and Source are what the event calls itself, as far as it was read.
	EventID, EventType, Source string
}

func (f *Fault) Error() string {
	if f.Pointer == "" {
		return f.Detail
	}
	return f.Pointer + " " + f.Detail
}

// NewFault returns a fault whose detail goes on after the name of what is wrong: "must not be empty".
func NewFault(pointer, reason, format string, args ...any) *Fault {
	return &Fault{Pointer: pointer, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// Member is the pointer to a member of the event.
func Member(name string) string { return string(jsontext.Pointer("").AppendToken(name)) }

// malformed says where the text is no JSON.
func malformed(err error) *Fault {
	var syntactic *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntactic):
		return NewFault("", ReasonMalformed, "is not JSON: it ends early")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return NewFault(string(syntactic.JSONPointer), ReasonMalformed, "is there twice")
	}
	return NewFault(string(syntactic.JSONPointer), ReasonMalformed, "is not JSON: %v, at byte %d", syntactic.Err, syntactic.ByteOffset)
}

// Invalid is the fault that an error of package eventlog is: its text starts with the path of the field.
func Invalid(err error) *Fault {
	path, what, _ := strings.Cut(err.Error(), " ")
	field, _, _ := strings.Cut(path, ".")
	reason := ReasonValue
	if strings.Contains(what, "nested deeper") {
		reason = ReasonTooDeep
	}
	if field == "data" || field == "metadata" {
		return NewFault(Member(field), reason, "%v", err)
	}
	return NewFault(Member(field), reason, "%s", what)
}
