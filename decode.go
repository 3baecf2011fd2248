package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// UnmarshalJSON reads what AppendJSON wrote. Numbers without a point or an exponent become
// int64, all others float64. Bytes and numbers that JSON cannot carry come back as the
// strings that showed them. Fields that an Event does not have are ignored. Errors name
// the field.
func (e *Event) UnmarshalJSON(b []byte) error {
	var in struct {
		EventID   string         `json:"event_id"`
		Timestamp *time.Time     `json:"timestamp"`
		EventType string         `json:"event_type"`
		Source    string         `json:"source"`
		Data      map[string]any `json:"data"`
		Metadata  map[string]any `json:"metadata"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("event: more than one JSON value")
	}
	out := Event{EventID: in.EventID, EventType: in.EventType, Source: in.Source}
	if in.Timestamp != nil {
		out.Timestamp = in.Timestamp.UTC()
	}
	var err error
	if out.Data, err = numbers(in.Data, "data", 1); err != nil {
		return err
	}
	if out.Metadata, err = numbers(in.Metadata, "metadata", 1); err != nil {
		return err
	}
	*e = out
	return nil
}

// numbers gives the numbers in m their kinds. depth is that of m's values.
func numbers(m map[string]any, field string, depth int) (map[string]any, error) {
	for k, v := range m {
		value, err := number(v, field+"."+k, depth)
		if err != nil {
			return nil, err
		}
		m[k] = value
	}
	return m, nil
}

func number(v any, field string, depth int) (any, error) {
	if depth > jsonDepth {
		return nil, fmt.Errorf("event: %.100s… is nested deeper than %d levels", field, MaxDepth)
	}
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if n, err := v.Int64(); err == nil {
				return n, nil
			}
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("event: %s is the number %s, which has no room in 64 bits", field, v)
		}
		return f, nil
	case []any:
		for i, element := range v {
			value, err := number(element, fmt.Sprintf("%s.%d", field, i), depth+1)
			if err != nil {
				return nil, err
			}
			v[i] = value
		}
		return v, nil
	case map[string]any:
		return numbers(v, field, depth+1)
	default:
		return v, nil
	}
}
