package show

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Bar is one line of a chart.
type Bar struct {
	Start *time.Time // nil where there are no intervals
	Name  string
	// Length is the number that the bar is drawn for; there is none for 0 and less.
	Length float64
	// Number is how the number is written.
	Number string
}

// minBar is how long the longest bar is at least, in characters.
const minBar = 10

// Bars draws a chart that is at most width characters wide, if its names leave room.
func (c *Style) Bars(w io.Writer, width int, bars []Bar) error {
	most := 0.0
	var nameWidth, countWidth, startWidth int
	for _, b := range bars {
		most = max(most, b.Length)
		nameWidth = max(nameWidth, utf8.RuneCountInString(printable(b.Name)))
		countWidth = max(countWidth, utf8.RuneCountInString(b.Number))
		if b.Start != nil {
			startWidth = max(startWidth, len(c.Second(b.Start))+2)
		}
	}
	room := max(minBar, width-startWidth-nameWidth-countWidth-4)
	var last time.Time
	for _, b := range bars {
		start := strings.Repeat(" ", startWidth)
		if b.Start != nil && !b.Start.Equal(last) { // an interval is named once
			last = *b.Start
			text := c.Second(b.Start)
			start = c.Faint(text) + strings.Repeat(" ", startWidth-len(text))
		}
		name := printable(b.Name)
		line := start + c.Category(b.Name, name) + strings.Repeat(" ", nameWidth-utf8.RuneCountInString(name)) + fmt.Sprintf("  %*s", countWidth, b.Number)
		if b.Length > 0 && !math.IsInf(b.Length, 0) {
			line += "  " + c.Category(b.Name, bar(b.Length, most, room))
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// Count writes a number of events, and how many there were before sampling where that differs.
func Count(n uint64, estimated float64) string {
	if estimated > float64(n) {
		return fmt.Sprintf("%d (≈%.0f)", n, estimated)
	}
	return fmt.Sprint(n)
}

// bar is n of most as a line of at most room characters, drawn to an eighth of one.
func bar(n, most float64, room int) string {
	eighths := max(1, int(n/most*float64(room)*8+0.5))
	line := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		line += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return line
}
