package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// table is one of Markdown.
type table struct {
	head  []string
	right []int // columns of numbers
	rows  [][]string
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
		if slices.Contains(t.right, i) {
			rule[i] = "---:"
		}
	}
	line(rule)
	return b.String() + t.body()
}

// body returns the rows alone.
func (t *table) body() string {
	var b strings.Builder
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// short writes a number with three digits or all before the point, and groups of thousands.
func short(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case v == 0:
		return "0"
	case a >= 100:
		return count(v)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// count writes a whole number with groups of thousands.
func count(v float64) string {
	digits := strconv.FormatFloat(math.Abs(math.Round(v)), 'f', 0, 64)
	if n := len(digits); n > 4 {
		scale := 1.0
		for range n - 4 {
			scale *= 10 // four digits are more than a measurement has
		}
		digits = strconv.FormatFloat(math.Abs(math.Round(v/scale)*scale), 'f', 0, 64)
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	if v < 0 {
		digits = "-" + digits
	}
	return digits
}

// ranged is a median with the range around it.
func ranged(s spread) string {
	if !s.known() {
		return "–"
	}
	if s.Min == s.Max {
		return short(s.Median)
	}
	return fmt.Sprintf("%s (%s to %s)", short(s.Median), short(s.Min), short(s.Max))
}
