package text

// Distance is how many bytes must be inserted, removed or replaced to make b of a. It takes time
// proportional to the product of their lengths.
func Distance(a, b string) int {
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
