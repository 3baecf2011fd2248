package client

import (
	"maps"
	"net/url"

	"github.com/isbl/telemetry/internal/filter"
)

// Filter chooses events. All that is set must match; of a list, one value.
type Filter = filter.Spec

// Texts are values of a [Filter].
type Texts = filter.Texts

// valuesOf returns the filter's parameters and others, whose empty values are left out.
func valuesOf(f *Filter, others map[string]string) url.Values {
	values := f.Values()
	maps.DeleteFunc(others, func(_, value string) bool { return value == "" })
	for name, value := range others {
		values.Set(name, value)
	}
	return values
}
