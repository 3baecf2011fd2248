// Package distribution holds what the otelcol-isbl binary sets and a stock Collector does not. A Collector that is built
// with our components alone never gets it.
package distribution

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/featuregate"
)

// gates are the feature gates that are on in this distribution.
var gates = []string{
	// The health check answers by component status, so that a store that cannot write is seen.
	"extension.healthcheck.useComponentStatus",
}

// NewFactory opens the gates and returns a configuration converter that converts nothing. The Collector has no other place
// for this: the builder's program calls the factories of its converters before it reads the command line, whose
// --feature-gates thus still has the last word.
func NewFactory() confmap.ConverterFactory {
	var err error
	for _, gate := range gates {
		if e := featuregate.GlobalRegistry().Set(gate, true); e != nil {
			err = fmt.Errorf("open a feature gate of this distribution: %w", e)
		}
	}
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return converter{err} })
}

// converter leaves the configuration as it is and reports what went wrong before there was somebody to tell.
type converter struct{ err error }

func (c converter) Convert(context.Context, *confmap.Conf) error { return c.err }
