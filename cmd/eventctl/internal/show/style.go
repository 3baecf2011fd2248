// Package show writes what the store has for people: events as lines, numbers as bars and tables.
package show

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/isbl/telemetry/internal/severity"
)

// Style is how things look: in colours or not, and with the times of a place.
type Style struct {
	// Zone is where times are shown.
	Zone *time.Location

	faint, bold, warn, bad, worst *color.Color
	categories                    map[string]*color.Color
	own                           []*color.Color // of categories that are the user's own
}

// NewStyle returns a Style that paints if colours is set, and shows times in UTC.
func NewStyle(colours bool) *Style {
	paint := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		if colours {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	return &Style{
		Zone:  time.UTC,
		faint: paint(color.Faint),
		bold:  paint(color.Bold),
		warn:  paint(color.FgYellow, color.Bold),
		bad:   paint(color.FgRed, color.Bold),
		worst: paint(color.FgWhite, color.BgRed, color.Bold),
		categories: map[string]*color.Color{
			"system": paint(color.FgBlue),
			"user":   paint(color.FgGreen),
			"metric": paint(color.FgMagenta),
			"data":   paint(color.FgCyan),
			"alert":  paint(color.FgRed),
		},
		own: []*color.Color{
			paint(color.FgYellow), paint(color.FgHiBlue), paint(color.FgHiGreen), paint(color.FgHiMagenta), paint(color.FgHiCyan),
		},
	}
}

// Second returns a time without its fraction; "" for nil.
func (c *Style) Second(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.In(c.Zone).Format(time.RFC3339)
}

// Faint is for what matters less.
func (c *Style) Faint(s string) string { return c.faint.Sprint(s) }

// Bold is for what matters more.
func (c *Style) Bold(s string) string { return c.bold.Sprint(s) }

// Bad is for what went wrong.
func (c *Style) Bad(s string) string { return c.bad.Sprint(s) }

// Warn is for what may be wrong.
func (c *Style) Warn(s string) string { return c.warn.Sprint(s) }

// Category paints text in the colour of a name's category: the same for the same category, always.
func (c *Style) Category(name, text string) string {
	category, _, _ := strings.Cut(name, ".")
	if known := c.categories[category]; known != nil {
		return known.Sprint(text)
	}
	h := fnv.New32a()
	h.Write([]byte(category))
	return c.own[h.Sum32()%uint32(len(c.own))].Sprint(text)
}

// severity paints the name of a severity, in a column of the width of the longest.
func (c *Style) severity(number severity.Number) string {
	text := fmt.Sprintf("%-5s", number.Name())
	switch {
	case number.Reaches(severity.Fatal):
		return c.worst.Sprint(text)
	case number.Reaches(severity.Error):
		return c.bad.Sprint(text)
	case number.Reaches(severity.Warn):
		return c.warn.Sprint(text)
	case number.Reaches(severity.Info):
		return text
	default:
		return c.faint.Sprint(text)
	}
}
