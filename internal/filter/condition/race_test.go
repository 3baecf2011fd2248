//go:build race

package condition

// With the race detector, a time says nothing about the program.
func init() { timed = false }
