package aggregate

import (
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// Values are what is known of the numbers of one group. It is not safe for concurrent use.
type Values struct {
	// Count is how many there are, Weight how many they stand for.
	Count  uint64
	Weight float64

	sum, min, max float64
	sketch        *ddsketch.DDSketch // nil when no quantiles are wanted
}

// NewValues returns values without any number; with quantiles if they will be asked for.
func NewValues(quantiles bool) *Values {
	v := &Values{min: math.Inf(1), max: math.Inf(-1)}
	if quantiles {
		m, err := mapping.NewLogarithmicMapping(Accuracy)
		if err != nil {
			panic(err) // Accuracy is a constant
		}
		v.sketch = ddsketch.NewDDSketchFromStoreProvider(m, store.BufferedPaginatedStoreConstructor)
	}
	return v
}

// Add adds a number, which must be finite, that stands for weight events.
func (v *Values) Add(value, weight float64) {
	v.Count++
	v.Weight += weight
	v.sum += value * weight
	v.min, v.max = min(v.min, value), max(v.max, value)
	if v.sketch != nil {
		_ = v.sketch.AddWithCount(value, weight) // it takes every finite number
	}
}

// Merge adds the numbers of other, which has quantiles if v has.
func (v *Values) Merge(other *Values) {
	v.Count += other.Count
	v.Weight += other.Weight
	v.sum += other.sum
	v.min, v.max = min(v.min, other.min), max(v.max, other.max)
	if v.sketch != nil {
		_ = v.sketch.MergeWith(other.sketch) // of the same accuracy
	}
}

// Weighted says whether some numbers stand for more than one event.
func (v *Values) Weighted() bool { return v.Weight != float64(v.Count) }

// quantile is right at both ends, and in between up to Accuracy.
func (v *Values) quantile(q float64) float64 {
	switch q {
	case 0:
		return v.min
	case 1:
		return v.max
	}
	value, err := v.sketch.GetValueAtQuantile(q)
	if err != nil {
		return math.NaN() // of nothing
	}
	return min(max(value, v.min), v.max)
}
