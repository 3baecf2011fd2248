// Package units reads the durations of a component's configuration.
package units

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/when"
)

// Durations lets the keys of conf that are durations be written as everywhere else, with days (7d)
// and weeks (2w) too, and refuses numbers without a unit, which the Collector takes for
// nanoseconds. Keys that are not set stay so. Its errors name the keys.
func Durations(conf *confmap.Conf, keys ...string) error {
	var errs []error
	read := map[string]any{}
	for _, key := range keys {
		value := conf.Get(key)
		if value == nil {
			continue
		}
		d, err := when.Duration(fmt.Sprint(value))
		if err != nil {
			errs = append(errs, fmt.Errorf("`%s`: %w", key, err))
			continue
		}
		read[key] = d.String()
	}
	if len(errs) > 0 || len(read) == 0 {
		return errors.Join(errs...)
	}
	return conf.Merge(confmap.NewFromStringMap(read))
}
