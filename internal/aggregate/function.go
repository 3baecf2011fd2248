// Package aggregate computes numbers over a field of many events.
package aggregate

import (
	"fmt"
	"strconv"
	"strings"
)

// Accuracy is the relative error of quantiles: the value given is at most this part away
// from the one at that rank.
const Accuracy = 0.01

// Function is a number over a field.
type Function struct {
	// Name is count, sum, min, max, avg, or p and a percentage, such as p95 or p99.9.
	Name     string
	quantile float64 // of a percentile
	value    func(*Values) float64
}

var functions = map[string]func(*Values) float64{
	"count": func(v *Values) float64 { return float64(v.Count) },
	"sum":   func(v *Values) float64 { return v.sum },
	"min":   func(v *Values) float64 { return v.min },
	"max":   func(v *Values) float64 { return v.max },
	"avg":   func(v *Values) float64 { return v.sum / v.Weight },
}

// Parse reads the name of a function.
func Parse(name string) (Function, error) {
	if value, ok := functions[name]; ok {
		return Function{Name: name, value: value}, nil
	}
	if digits, ok := strings.CutPrefix(name, "p"); ok && len(digits) <= 8 && strings.Trim(digits, "0123456789.") == "" {
		if percent, err := strconv.ParseFloat(digits, 64); err == nil && percent <= 100 {
			return Function{Name: name, quantile: percent / 100}, nil
		}
	}
	return Function{}, fmt.Errorf("%.40q is not a function: choose of count, sum, min, max, avg, and percentiles such as p50, p95 or p99.9", name)
}

// IsQuantile says whether f is a percentile, which is right up to Accuracy.
func (f Function) IsQuantile() bool { return f.value == nil }

// Of returns the number over values, which must not be empty.
func (f Function) Of(v *Values) float64 {
	if f.value != nil {
		return f.value(v)
	}
	return v.quantile(f.quantile)
}
