package main

import (
	"math"
	"slices"
)

// spread is a median and the range around it.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf ignores what is not a number; of nothing it is nothing but NaN.
func spreadOf(samples []float64) spread {
	kept := slices.DeleteFunc(slices.Clone(samples), math.IsNaN)
	if len(kept) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	slices.Sort(kept)
	middle := len(kept) / 2
	median := kept[middle]
	if len(kept)%2 == 0 {
		median = (kept[middle-1] + kept[middle]) / 2
	}
	return spread{median, kept[0], kept[len(kept)-1]}
}

// known tells whether there was anything to measure.
func (s spread) known() bool { return !math.IsNaN(s.Median) }

// quantile is the smallest of the sorted values that a share q of them does not exceed; 0 of none.
func quantile[T any](sorted []T, q float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}
