package show

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table collects rows and writes them in columns. Cells that are numbers by their column stand to
// the right.
type Table struct {
	head  []string
	right []bool
	rows  [][]string
}

// NewTable returns a table with a head. A title that begins with > is of a column of numbers.
func NewTable(titles ...string) *Table {
	t := &Table{}
	for _, title := range titles {
		name, right := strings.CutPrefix(title, ">")
		t.head, t.right = append(t.head, strings.ToUpper(name)), append(t.right, right)
	}
	return t
}

// Row adds a row of values, printed as fmt does.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = printable(fmt.Sprint(cell))
	}
	t.rows = append(t.rows, row)
}

// Write writes the table, with nothing for one without rows but its head.
func (t *Table) Write(w io.Writer, c *Colours) error {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	if _, err := fmt.Fprintln(w, c.Faint(t.line(t.head, widths))); err != nil {
		return err
	}
	for _, row := range t.rows {
		if _, err := fmt.Fprintln(w, t.line(row, widths)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.right[i] {
			b.WriteString(space + cell)
		} else {
			b.WriteString(cell + space)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
