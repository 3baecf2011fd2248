package show

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/isbl/telemetry/internal/column"
)

// Table collects rows, and writes them in columns for people or as CSV.
type Table struct {
	head  []string
	right []bool
	rows  [][]any
}

// Number is a number that people see rounded, and other programs as it is.
type Number struct{ Rounded, Exact string }

// NewTable returns a table with the names of its columns. A name that begins with > is of a column
// of numbers, which stand to the right.
func NewTable(names ...string) *Table {
	t := &Table{}
	for _, name := range names {
		name, right := strings.CutPrefix(name, ">")
		t.head, t.right = append(t.head, name), append(t.right, right)
	}
	return t
}

// Row adds a row of values: text, numbers, a Number, a *time.Time where nil is nothing.
func (t *Table) Row(cells ...any) { t.rows = append(t.rows, cells) }

// Choose leaves only these columns, in this order.
func (t *Table) Choose(names []string) error {
	chosen := &Table{}
	places := make([]int, len(names))
	for i, name := range names {
		if places[i] = slices.Index(t.head, name); places[i] < 0 {
			return fmt.Errorf("there is no column %q, but %s", name, strings.Join(t.head, ", "))
		}
		chosen.head, chosen.right = append(chosen.head, name), append(chosen.right, t.right[places[i]])
	}
	for _, row := range t.rows {
		cells := make([]any, len(places))
		for i, place := range places {
			cells[i] = row[place]
		}
		chosen.Row(cells...)
	}
	*t = *chosen
	return nil
}

// Write writes the table, with nothing for one without rows but its head.
func (t *Table) Write(w io.Writer, c *Style) error {
	lines := Lines{right: t.right, widths: make([]int, len(t.head))}
	rows := make([][]string, len(t.rows))
	for i, row := range t.rows {
		for _, cell := range row {
			rows[i] = append(rows[i], c.cell(cell))
		}
		lines.widen(rows[i])
	}
	if _, err := fmt.Fprintln(w, c.Faint(lines.line(titles(t.head)))); err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, lines.line(row)); err != nil {
			return err
		}
	}
	return nil
}

// CSV writes the table with a header row (RFC 4180).
func (t *Table) CSV(w io.Writer, c *Style) error {
	out := csv.NewWriter(w)
	_ = out.Write(t.head) // errors are kept for Flush
	for _, row := range t.rows {
		fields := make([]string, len(row))
		for i, cell := range row {
			fields[i] = c.Field(cell)
		}
		_ = out.Write(fields)
	}
	out.Flush()
	return out.Error()
}

// cell is a value of a table for people.
func (c *Style) cell(v any) string {
	switch v := v.(type) {
	case Number:
		return printable(v.Rounded)
	case *time.Time:
		return c.Second(v)
	}
	return printable(fmt.Sprint(v))
}

// Field is a value of a table as CSV has it.
func (c *Style) Field(v any) string {
	switch v := v.(type) {
	case Number:
		return v.Exact
	case time.Time:
		return column.Field(v.In(c.Zone))
	case *time.Time:
		if v == nil {
			return ""
		}
		return column.Field(v.In(c.Zone))
	case uint64:
		return fmt.Sprint(v)
	}
	return column.Field(v)
}

// Lines are rows of which each is written at once: a column is as wide as its widest cell so far.
type Lines struct {
	right  []bool
	widths []int
}

// maxWidth is how wide a column of Lines becomes: longer cells push the others along.
const maxWidth = 40

// NewLines returns Lines, and their head.
func NewLines(names []string, c *Style) (lines *Lines, head string) {
	lines = &Lines{right: make([]bool, len(names)), widths: make([]int, len(names))}
	usual := map[string]int{"timestamp": len(timeForm), "event_id": 36, "event_type": typeWidth, "source": sourceWidth}
	for i, name := range names {
		lines.widths[i] = usual[name]
	}
	return lines, c.Faint(lines.line(titles(names)))
}

// Line returns a row of values of an event.
func (l *Lines) Line(values []any, c *Style) string {
	cells := make([]string, len(values))
	for i, v := range values {
		if at, ok := v.(time.Time); ok {
			v = at.In(c.Zone).Format(timeForm)
		}
		cells[i] = shorten(printable(column.Text(v)))
	}
	return l.line(cells)
}

func titles(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = strings.ToUpper(name)
	}
	return all
}

func (l *Lines) widen(cells []string) {
	for i, cell := range cells {
		l.widths[i] = max(l.widths[i], utf8.RuneCountInString(cell))
	}
}

func (l *Lines) line(cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		length := utf8.RuneCountInString(cell)
		l.widths[i] = max(l.widths[i], min(length, maxWidth))
		space := strings.Repeat(" ", max(0, l.widths[i]-length))
		if l.right[i] {
			b.WriteString(space + cell)
		} else {
			b.WriteString(cell + space)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
