package series

import (
	"slices"
	"time"
)

// edgeAt returns the place of the first edge that is not before a time in nanoseconds.
func edgeAt(edges []int64, at int64) int {
	i, _ := slices.BinarySearch(edges, ceilMilliseconds(at))
	return i
}

// ceilMilliseconds is the first millisecond that is not before a time in nanoseconds.
func ceilMilliseconds(at int64) int64 {
	ms := at / int64(time.Millisecond)
	if at%int64(time.Millisecond) > 0 {
		ms++
	}
	return ms
}
