// Package aggregate computes numbers over a field of many events.
package aggregate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Accuracy is the relative error of quantiles of more than MaxExact numbers: the value given is at
// most this part away from the one at that rank.
const Accuracy = 0.01

// Function is a number over a field.
type Function struct {
	// Name is count, sum, min, max, avg, or p and a percentage, such as p95 or p99.9.
	Name     string
	part, of float64 // of a percentile: p99.9 is the part 999 of 1000
	value    func(*Values) any
}

var functions = map[string]func(*Values) any{
	"count": func(v *Values) any { return v.Count },
	"sum":   func(v *Values) any { return v.sum.value() },
	"min":   func(v *Values) any { return v.min.Any() },
	"max":   func(v *Values) any { return v.max.Any() },
	"avg":   func(v *Values) any { return v.sum.over(v.Weight) },
}

// Parse reads the name of a function.
func Parse(name string) (Function, error) {
	if value, ok := functions[name]; ok {
		return Function{Name: name, value: value}, nil
	}
	if f, ok := percentile(name); ok {
		return f, nil
	}
	return Function{}, fmt.Errorf("%.40q is not a function: choose of count, sum, min, max, avg, and percentiles such as p50, p95 or p99.9", name)
}

// percentile reads p and a percentage, without rounding it: 0.07 · 100 would be more than 7.
func percentile(name string) (f Function, ok bool) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok || len(digits) > 8 || strings.Trim(digits, "0123456789.") != "" {
		return f, false
	}
	whole, decimals, _ := strings.Cut(digits, ".")
	part, err := strconv.ParseUint(whole+decimals, 10, 64)
	of := 100 * math.Pow10(len(decimals))
	if err != nil || whole == "" || float64(part) > of {
		return f, false
	}
	return Function{Name: name, part: float64(part), of: of}, true
}

// IsQuantile says whether f is a percentile, which may be right up to Accuracy only.
func (f Function) IsQuantile() bool { return f.value == nil }

// Of returns the number over values: an integer, a float64, or nil where there is none, such as the
// least of nothing.
func (f Function) Of(v *Values) any {
	switch {
	case v.Count == 0 && f.Name == "count":
		return 0
	case v.Count == 0 && f.Name == "sum":
		return 0
	case v.Count == 0:
		return nil
	case f.value != nil:
		return f.value(v)
	}
	return v.quantile(f.part, f.of)
}
