package eventjson

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/isbl/telemetry/internal/event"
)

// malformed says where the text is no JSON.
func malformed(err error) *event.Fault {
	var syntactic *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntactic):
		return event.NewFault(event.ReasonMalformed, "is not JSON: it ends early")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return event.NewFault(event.ReasonMalformed, "is there twice").At(string(syntactic.JSONPointer))
	}
	return event.NewFault(event.ReasonMalformed, "is not JSON: %v, at byte %d", syntactic.Err, syntactic.ByteOffset).At(string(syntactic.JSONPointer))
}
