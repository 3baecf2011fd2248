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

// spreadOf ignores NaN. Without samples its fields are NaN.
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

// known returns whether there were samples.
func (s spread) known() bool { return !math.IsNaN(s.Median) }
