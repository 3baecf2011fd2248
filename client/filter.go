package client

import (
	"maps"
	"net/url"
)

// Filter chooses events. All that is set must match; of a list, one value.
type Filter struct {
	// Patterns.
	EventTypes []string `json:"event_type,omitempty"`
	Sources    []string `json:"source,omitempty"`
	// Bounds of the event time: RFC 3339, or a duration back from now.
	Since    string   `json:"since,omitempty"`
	Until    string   `json:"until,omitempty"`
	EventIDs []string `json:"event_id,omitempty"`
	TraceIDs []string `json:"trace_id,omitempty"`
	// Data are values of the event's data by key.
	Data map[string]string `json:"data,omitempty"`
	// Where is a condition in OTTL.
	Where string `json:"where,omitempty"`
}

// Values are the parameters of a query that choose the events.
func (f *Filter) Values() url.Values {
	values := url.Values{}
	lists := map[string][]string{"event_type": f.EventTypes, "source": f.Sources, "event_id": f.EventIDs, "trace_id": f.TraceIDs}
	for name, list := range lists {
		if len(list) > 0 {
			values[name] = list
		}
	}
	for key, value := range f.Data {
		values.Set("data."+key, value)
	}
	for name, value := range map[string]string{"since": f.Since, "until": f.Until, "where": f.Where} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// with returns the filter's parameters and others, whose empty values are left out.
func (f *Filter) with(others map[string]string) url.Values {
	values := f.Values()
	maps.DeleteFunc(others, func(_, value string) bool { return value == "" })
	for name, value := range others {
		values.Set(name, value)
	}
	return values
}
