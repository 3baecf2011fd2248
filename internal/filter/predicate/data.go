package predicate

import (
	"math"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
)

// datum asks for a value of the data.
type datum struct {
	path  string
	texts []string
	// ints are the texts that are whole numbers of 64 bits, floats those that are other numbers.
	ints   []int64
	floats []float64
}

func newDatum(path string, texts []string) datum {
	d := datum{path: path, texts: texts}
	for _, text := range texts {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			d.ints = append(d.ints, n)
		} else if f, err := strconv.ParseFloat(text, 64); err == nil {
			d.floats = append(d.floats, f)
		}
	}
	return d
}

// values are all that match, integers beyond 2^53 rounded.
func (d *datum) values() Values {
	v := Values{Texts: d.texts, Numbers: slices.Clone(d.floats)}
	for _, n := range d.ints {
		v.Numbers = append(v.Numbers, float64(n))
	}
	if slices.Contains(d.texts, "NaN") {
		v.Numbers = append(v.Numbers, math.NaN())
	}
	return v
}

// matches compares numbers as numbers, exactly, so that 1 is also 1.0, and all else as the text
// that JSON shows. Of a list, one element must match. Maps match nothing.
func (d *datum) matches(ref eventlog.Ref) bool { return ref.AnyData(d.path, d.matchesValue) }

func (d *datum) matchesValue(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return slices.Contains(d.ints, v.Int()) ||
			slices.ContainsFunc(d.floats, func(f float64) bool { return isSame(v.Int(), f) })
	case pcommon.ValueTypeDouble:
		f := v.Double()
		return slices.Contains(d.floats, f) || math.IsNaN(f) && slices.Contains(d.texts, "NaN") ||
			slices.ContainsFunc(d.ints, func(n int64) bool { return isSame(n, f) })
	}
	text, ok := eventlog.ScalarText(v)
	return ok && slices.Contains(d.texts, text)
}

// isSame reports whether two numbers are the same. Beyond 2^53, float64(n) may be another number
// than n.
func isSame(n int64, f float64) bool {
	return f >= math.MinInt64 && f < math.MaxInt64 && f == math.Trunc(f) && int64(f) == n
}
