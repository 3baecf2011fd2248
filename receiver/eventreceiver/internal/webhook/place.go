package webhook

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
)

// Place is where a value lies in a request: header:NAME, or body:POINTER with the pointer of RFC
// 6901 to a value in the body, counted from the event where the body is split.
type Place struct {
	header string // empty for a place in the body
	body   Pointer
}

const (
	inHeader = "header:"
	inBody   = "body:"
)

// UnmarshalText reads a place.
func (p *Place) UnmarshalText(text []byte) error {
	s := string(text)
	if name, ok := strings.CutPrefix(s, inHeader); ok && name != "" {
		p.header = http.CanonicalHeaderKey(name)
		return nil
	}
	if pointer, ok := strings.CutPrefix(s, inBody); ok {
		return p.body.UnmarshalText([]byte(pointer))
	}
	return fmt.Errorf("%q is no place in a request: write header:NAME or body:/POINTER", event.Shorten(s))
}

// MarshalText writes a place as it is read.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p Place) String() string {
	if p.header != "" {
		return inHeader + p.header
	}
	return inBody + string(p.body)
}

// find returns the text of the value at a place. No value, an empty one and null are "".
func (p Place) find(header http.Header, body pcommon.Value) (string, *event.Fault) {
	if p.header != "" {
		return strings.ToValidUTF8(header.Get(p.header), "\uFFFD"), nil
	}
	switch v := p.body.find(body); v.Type() {
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
		return "", event.NewFault(event.ReasonKind, "must be a string, a number or a boolean: `%s` asks for it", p).At(string(p.body))
	default:
		return v.AsString(), nil
	}
}

// Places are several places. One alone may be written without a list.
type Places []Place

// UnmarshalText reads one place.
func (all *Places) UnmarshalText(text []byte) error {
	var p Place
	if err := p.UnmarshalText(text); err != nil {
		return err
	}
	*all = Places{p}
	return nil
}

func (all Places) String() string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// Pointer is a JSON pointer (RFC 6901) into a body; "" is the whole.
type Pointer jsontext.Pointer

// UnmarshalText reads a pointer.
func (p *Pointer) UnmarshalText(text []byte) error {
	pointer := jsontext.Pointer(text)
	if !pointer.IsValid() {
		return fmt.Errorf("%q is no JSON pointer: write one such as /alerts or /data/id", event.Shorten(string(text)))
	}
	*p = Pointer(pointer)
	return nil
}

// find returns the value at a pointer, an empty one where there is none.
func (p Pointer) find(v pcommon.Value) pcommon.Value {
	for name := range jsontext.Pointer(p).Tokens() {
		found := false
		switch v.Type() {
		case pcommon.ValueTypeMap:
			v, found = v.Map().Get(name)
		case pcommon.ValueTypeSlice:
			if i := eventjson.Index(name); i >= 0 && i < v.Slice().Len() {
				v, found = v.Slice().At(i), true
			}
		}
		if !found {
			return pcommon.NewValueEmpty()
		}
	}
	return v
}
