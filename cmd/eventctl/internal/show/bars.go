package show

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Bar is one line of a chart.
type Bar struct {
	Start *time.Time // nil where there are no intervals
	Name  string
	Count uint64
	// Estimated is how many there were before sampling; it is shown where it differs from Count.
	Estimated float64
}

// minBar is how long the longest bar is at least, in characters.
const minBar = 10

// Bars draws a chart that is at most width characters wide, if its names leave room.
func (c *Style) Bars(w io.Writer, width int, bars []Bar) error {
	var most uint64
	var nameWidth, countWidth, startWidth int
	for _, b := range bars {
		most = max(most, b.Count)
		nameWidth = max(nameWidth, utf8.RuneCountInString(printable(b.Name)))
		countWidth = max(countWidth, utf8.RuneCountInString(b.number()))
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
		line := start + c.Category(b.Name, name) + strings.Repeat(" ", nameWidth-utf8.RuneCountInString(name)) + fmt.Sprintf("  %*s", countWidth, b.number())
		if b.Count > 0 {
			line += "  " + c.Category(b.Name, bar(b.Count, most, room))
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bar) number() string {
	if b.Estimated > float64(b.Count) {
		return fmt.Sprintf("%d (≈%.0f)", b.Count, b.Estimated)
	}
	return fmt.Sprint(b.Count)
}

// bar is n of most as a line of at most room characters, drawn to an eighth of one.
func bar(n, most uint64, room int) string {
	eighths := max(1, int(float64(n)/float64(most)*float64(room)*8+0.5))
	line := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		line += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return line
}
