package aggregate

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
)

// Number is a finite number of an event: an integer of 64 bits or a floating point number. Both are
// kept exactly.
type Number struct {
	bits    uint64
	isFloat bool
}

// Int returns the Number of an integer.
func Int(n int64) Number { return Number{bits: uint64(n)} }

// Float returns the Number of f, which must be finite.
func Float(f float64) Number { return Number{bits: math.Float64bits(f), isFloat: true} }

// NumberOf returns the number at a path of an event's data, if there is one and it is finite.
func NumberOf(ref eventlog.Ref, path string) (n Number, ok bool) {
	v, ok := ref.Data(path)
	if !ok {
		return n, false
	}
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return Int(v.Int()), true
	case pcommon.ValueTypeDouble:
		f := v.Double()
		return Float(f), !math.IsNaN(f) && !math.IsInf(f, 0)
	default:
		return n, false
	}
}

// Float64 returns the floating point number next to n.
func (n Number) Float64() float64 {
	if n.isFloat {
		return math.Float64frombits(n.bits)
	}
	return float64(int64(n.bits))
}

// Any returns n as an int64 or a float64.
func (n Number) Any() any {
	if n.isFloat {
		return n.Float64()
	}
	return int64(n.bits)
}

// Compare orders numbers by their value.
func (n Number) Compare(m Number) int {
	switch {
	case !n.isFloat && !m.isFloat:
		return cmp.Compare(int64(n.bits), int64(m.bits))
	case n.isFloat && m.isFloat:
		return cmp.Compare(n.Float64(), m.Float64())
	case n.isFloat:
		return -m.Compare(n)
	}
	// Beyond 2^53 float64(n) may be another number than n.
	i, f := int64(n.bits), m.Float64()
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	return cmp.Or(cmp.Compare(i, int64(whole)), cmp.Compare(whole, f))
}

// sum adds numbers: integers exactly, others with an error of one unit in the last place or so,
// in whatever order they come.
type sum struct {
	high int64 // of the integers, 128 bits
	low  uint64
	// floats is the sum of the others; huge that of those near the limits of float64, divided by
	// hugeScale.
	floats, huge compensated
	isFloat      bool
}

// compensated is Neumaier's summation.
type compensated struct {
	sum, rest float64 // rest is what sum lost by rounding
}

func (c *compensated) add(v float64) {
	t := c.sum + v
	if math.Abs(c.sum) >= math.Abs(v) {
		c.rest += c.sum - t + v
	} else {
		c.rest += v - t + c.sum
	}
	c.sum = t
}

const (
	hugeNumber = 0x1p900
	hugeScale  = 0x1p200
)

// add adds n as often as weight says.
func (s *sum) add(n Number, weight float64) {
	if !n.isFloat && weight == math.Trunc(weight) && weight <= math.MaxUint32 {
		i := int64(n.bits)
		negative := i < 0
		high, low := bits.Mul64(magnitude(i), uint64(weight))
		s.addInts(int64(high), low, negative)
		return
	}
	s.isFloat = true
	if v := n.Float64(); math.Abs(v)*weight < hugeNumber {
		s.floats.add(v * weight)
	} else {
		s.huge.add(v / hugeScale * weight)
	}
}

func magnitude(i int64) uint64 {
	if i < 0 {
		return -uint64(i)
	}
	return uint64(i)
}

func (s *sum) addInts(high int64, low uint64, negative bool) {
	var carry uint64
	if negative {
		s.low, carry = bits.Sub64(s.low, low, 0)
		s.high -= high + int64(carry)
		return
	}
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high += high + int64(carry)
}

func (s *sum) merge(o *sum) {
	s.addInts(o.high, o.low, false)
	s.floats.add(o.floats.sum)
	s.floats.rest += o.floats.rest
	s.huge.add(o.huge.sum)
	s.huge.rest += o.huge.rest
	s.isFloat = s.isFloat || o.isFloat
}

func (s *sum) ints() *big.Int {
	n := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return n.Add(n, new(big.Int).SetUint64(s.low))
}

// exact is the sum with enough digits for all of its parts.
func (s *sum) exact() *big.Float {
	total := new(big.Float).SetPrec(4096)
	for _, part := range []float64{s.huge.sum, s.huge.rest} {
		total.Add(total, big.NewFloat(part))
	}
	total.Mul(total, big.NewFloat(hugeScale))
	for _, part := range []float64{s.floats.sum, s.floats.rest} {
		total.Add(total, big.NewFloat(part))
	}
	return total.Add(total, new(big.Float).SetInt(s.ints()))
}

// value is the sum as an integer where all numbers were integers.
func (s *sum) value() any {
	if !s.isFloat {
		return s.ints()
	}
	return float64Of(s.exact())
}

// over is the sum divided by weight.
func (s *sum) over(weight float64) any {
	return float64Of(new(big.Float).SetPrec(4096).Quo(s.exact(), big.NewFloat(weight)))
}

// float64Of returns f, or nil where it is beyond what float64 has.
func float64Of(f *big.Float) any {
	n, _ := f.Float64()
	if math.IsInf(n, 0) {
		return nil
	}
	return n
}
