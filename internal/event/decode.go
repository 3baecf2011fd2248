package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/when"
)

// UnmarshalJSON reads what AppendJSON wrote. Numbers without a point or an exponent become
// int64, all others float64; a number that does not fit is an error. Bytes and
// numbers that JSON cannot carry come back as the strings that showed them. Fields that
// an Event does not have are ignored, Data and Metadata are never nil, and null changes
// nothing. Errors name the field and leave the event as it was. It does not check whether the
// event is complete.
func (e *Event) UnmarshalJSON(b []byte) error {
	if string(bytes.TrimSpace(b)) == "null" {
		return nil
	}
	var in struct {
		EventID   string          `json:"event_id"`
		Timestamp json.RawMessage `json:"timestamp"`
		EventType string          `json:"event_type"`
		Source    string          `json:"source"`
		Data      map[string]any  `json:"data"`
		Metadata  map[string]any  `json:"metadata"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("event: %w", kindError(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("event: something follows the JSON object")
	}
	out := Event{EventID: in.EventID, EventType: in.EventType, Source: in.Source, Data: in.Data, Metadata: in.Metadata}
	var err error
	if out.Timestamp, err = timestamp(in.Timestamp); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	for name, m := range map[string]*map[string]any{"data": &out.Data, "metadata": &out.Metadata} {
		if *m == nil {
			*m = map[string]any{}
		}
		if f := numbers(*m, 1); f != nil {
			return fmt.Errorf("event: %w", f.In(name))
		}
	}
	*e = out
	return nil
}

// DecodeValue reads one JSON value as UnmarshalJSON reads those of Data.
func DecodeValue(text []byte) (any, *Fault) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, NewFault(ReasonMalformed, "is not JSON: %v", err)
	}
	return number(v, 1)
}

// kindError names the field that has the wrong kind of value, and calls the kind as JSON does.
func kindError(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err
	}
	switch kind.Field {
	case "":
		return fmt.Errorf("must be a JSON object, not %s", kind.Value)
	case "data", "metadata":
		return fmt.Errorf("%s must be an object, not %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("%s must be a string, not %s", kind.Field, kind.Value)
}

// timestamp reads a time; the zero time where there is none.
func timestamp(raw json.RawMessage) (time.Time, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return time.Time{}, nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	var t time.Time
	if err == nil {
		t, err = when.RFC3339(text)
	}
	if err != nil {
		return t, fmt.Errorf("timestamp must be a string with a time in RFC 3339, like %s, not %.60s", when.Example, raw)
	}
	// With the offset the year can be one that RFC 3339 cannot write.
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("timestamp must lie between the years 0 and 9999 in UTC, not %.60s", raw)
	}
	return t, nil
}

// numbers converts the numbers in m to int64 and float64. depth is the depth of m's values.
func numbers(m map[string]any, depth int) *Fault {
	for k, v := range m {
		value, f := number(v, depth)
		if f != nil {
			return f.In(k)
		}
		m[k] = value
	}
	return nil
}

func number(v any, depth int) (any, *Fault) {
	if depth > jsonDepth {
		return nil, NewFault(ReasonTooDeep, "is %s", TooDeep)
	}
	switch v := v.(type) {
	case json.Number:
		return kindOf(v)
	case []any:
		for i, element := range v {
			value, f := number(element, depth+1)
			if f != nil {
				return nil, f.In(strconv.Itoa(i))
			}
			v[i] = value
		}
	case map[string]any:
		if f := numbers(v, depth+1); f != nil {
			return nil, f
		}
	}
	return v, nil
}

// kindOf returns the int64 or float64 that a number is.
func kindOf(n json.Number) (any, *Fault) {
	if !strings.ContainsAny(n.String(), ".eE") {
		i, err := n.Int64()
		if err != nil {
			return nil, NewFault(ReasonValue, "is the number %.40s, which does not fit 64 bits: send it as a string", n)
		}
		return i, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, NewFault(ReasonValue, "is the number %.40s, which does not fit 64 bits: send it as a string", n)
	}
	return f, nil
}
