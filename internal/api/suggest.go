package api

import "strings"

// maxTypos is how many wrong letters a name may have to be recognised.
const maxTypos = 3

// nearest returns the name that was probably meant, or "".
func nearest(typed string, names []string) string {
	best, at := maxTypos+1, ""
	for _, name := range names {
		if len(typed) >= 3 && strings.Contains(name, typed) {
			return name
		}
		if d := distance(typed, name); d < best && d < len(name) {
			best, at = d, name
		}
	}
	return at
}

// distance is the number of letters to insert, remove or replace to get from a to b;
// more than maxTypos means far.
func distance(a, b string) int {
	if len(a) > len(b)+maxTypos {
		return maxTypos + 1
	}
	row := make([]int, len(b)+1) // distances of the part of a so far to each start of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
