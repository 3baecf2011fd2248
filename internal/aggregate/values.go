package aggregate

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/DataDog/sketches-go/ddsketch/mapping"
)

// MaxExact is up to how many numbers of a group its percentiles are exact.
const MaxExact = 1000

// Bytes that numbers take in memory, about.
const (
	valuesBytes = 250
	exactBytes  = 16
	weightBytes = 8
	binBytes    = 48
)

// Values are what is known of the numbers of one group. It is not safe for concurrent use.
type Values struct {
	// Count is how many there are, Weight how many they stand for.
	Count  uint64
	Weight float64

	sum      sum
	min, max Number

	// Of what follows, nothing is set without quantiles.
	quantiles bool
	exact     []Number        // all numbers, as long as bins is nil
	weights   []float64       // theirs; nil where all are 1
	bins      map[bin]float64 // weights by what numbers are close to
}

// NewValues returns values without any number; with quantiles if they will be asked for.
func NewValues(quantiles bool) *Values { return &Values{quantiles: quantiles} }

// AddEvents adds events without a number.
func (v *Values) AddEvents(count uint64, weight float64) {
	v.Count += count
	v.Weight += weight
}

// Add adds a number that stands for weight events.
func (v *Values) Add(n Number, weight float64) {
	if v.Count == 0 {
		v.min, v.max = n, n
	}
	if n.Compare(v.min) < 0 {
		v.min = n
	}
	if n.Compare(v.max) > 0 {
		v.max = n
	}
	v.AddEvents(1, weight)
	v.sum.add(n, weight)
	if v.quantiles {
		v.keep(n, weight)
	}
}

func (v *Values) keep(n Number, weight float64) {
	if v.bins == nil && len(v.exact) == MaxExact {
		v.Sketch()
	}
	if v.bins != nil {
		v.bins[binOf(n.Float64())] += weight
		return
	}
	if weight != 1 && v.weights == nil {
		v.weights = slices.Repeat([]float64{1}, len(v.exact))
	}
	v.exact = append(v.exact, n)
	if v.weights != nil {
		v.weights = append(v.weights, weight)
	}
}

func (v *Values) weight(i int) float64 {
	if v.weights == nil {
		return 1
	}
	return v.weights[i]
}

// Sketch makes the quantiles take less memory: they are right up to Accuracy afterwards.
func (v *Values) Sketch() {
	if v.bins != nil || len(v.exact) == 0 {
		return
	}
	v.bins = map[bin]float64{}
	for i, n := range v.exact {
		v.bins[binOf(n.Float64())] += v.weight(i)
	}
	v.exact, v.weights = nil, nil
}

// Merge adds the numbers of other, which has quantiles if v has. Other must not be used after it.
func (v *Values) Merge(other *Values) {
	if other.Count == 0 {
		return
	}
	if v.Count == 0 {
		*v = *other
		return
	}
	if other.min.Compare(v.min) < 0 {
		v.min = other.min
	}
	if other.max.Compare(v.max) > 0 {
		v.max = other.max
	}
	v.AddEvents(other.Count, other.Weight)
	v.sum.merge(&other.sum)
	if other.bins != nil {
		v.Sketch()
		if v.bins == nil {
			v.bins = map[bin]float64{}
		}
		for b, weight := range other.bins {
			v.bins[b] += weight
		}
		return
	}
	for i, n := range other.exact {
		v.keep(n, other.weight(i))
	}
}

// Bytes is about how much memory v takes.
func (v *Values) Bytes() int {
	return valuesBytes + exactBytes*cap(v.exact) + weightBytes*cap(v.weights) + binBytes*len(v.bins)
}

// Exact says whether quantiles are exact, not only right up to Accuracy.
func (v *Values) Exact() bool { return v.bins == nil }

// Weighted says whether some numbers stand for more than one event.
func (v *Values) Weighted() bool { return v.Weight != float64(v.Count) }

// quantile returns the number at a rank: the smallest one with which numbers up to it weigh at
// least the part percent/of of all.
func (v *Values) quantile(part, of float64) any {
	reached := func(weight float64) bool { return weight > 0 && weight*of >= part*v.Weight*(1-1e-15) }
	if part == 0 {
		return v.min.Any()
	}
	weight := 0.0
	if v.bins == nil {
		order := make([]int, len(v.exact))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int { return v.exact[i].Compare(v.exact[j]) })
		for _, i := range order {
			if weight += v.weight(i); reached(weight) {
				return v.exact[i].Any()
			}
		}
		return v.max.Any()
	}
	for _, b := range slices.SortedFunc(maps.Keys(v.bins), bin.compare) {
		if weight += v.bins[b]; reached(weight) {
			if weight >= v.Weight {
				break // the greatest number is known
			}
			value := Float(b.value())
			if value.Compare(v.min) < 0 {
				return v.min.Any()
			}
			if value.Compare(v.max) > 0 {
				break
			}
			return value.Any()
		}
	}
	return v.max.Any()
}

// bin is numbers that lie close together, as in a DDSketch.
type bin struct {
	index int32
	// scale is where the number lies: 0 within what the mapping takes, 1 above, -1 below.
	scale int8
	sign  int8 // 0 for zero itself
}

// sketch maps numbers to bins so that each number of a bin is within Accuracy of the bin's value.
var sketch = func() *mapping.LogarithmicMapping {
	m, err := mapping.NewLogarithmicMapping(Accuracy)
	if err != nil {
		panic(err) // Accuracy is a constant
	}
	return m
}()

// binScale brings numbers that the mapping does not take into its range.
const binScale = 0x1p300

func binOf(f float64) bin {
	if f == 0 {
		return bin{}
	}
	b := bin{sign: 1}
	if f < 0 {
		b.sign, f = -1, -f
	}
	switch {
	case f < 0x1p-900:
		b.scale, f = -1, f*binScale
	case f > 0x1p900:
		b.scale, f = 1, f/binScale
	}
	b.index = int32(sketch.Index(f))
	return b
}

func (b bin) value() float64 {
	if b.sign == 0 {
		return 0
	}
	f := sketch.Value(int(b.index))
	switch b.scale {
	case -1:
		f /= binScale
	case 1:
		f = min(f, math.MaxFloat64/binScale) * binScale
	}
	return float64(b.sign) * f
}

// compare orders bins by their numbers.
func (b bin) compare(c bin) int {
	size := cmp.Or(cmp.Compare(b.scale, c.scale), cmp.Compare(b.index, c.index))
	return cmp.Or(cmp.Compare(b.sign, c.sign), size*int(b.sign))
}
