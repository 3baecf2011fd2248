// Package show writes what the store has for people: events as lines, numbers as bars and tables.
package show

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/fatih/color"

	"github.com/isbl/telemetry/internal/severity"
)

// Colours paints text, or leaves it as it is.
type Colours struct {
	faint, bold, warn, bad, worst *color.Color
	categories                    map[string]*color.Color
	own                           []*color.Color // of categories that are the user's own
}

// NewColours returns Colours that paint if on is set.
func NewColours(on bool) *Colours {
	paint := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	return &Colours{
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

// Faint is for what matters less.
func (c *Colours) Faint(s string) string { return c.faint.Sprint(s) }

// Bold is for what matters more.
func (c *Colours) Bold(s string) string { return c.bold.Sprint(s) }

// Bad is for what went wrong.
func (c *Colours) Bad(s string) string { return c.bad.Sprint(s) }

// Warn is for what may be wrong.
func (c *Colours) Warn(s string) string { return c.warn.Sprint(s) }

// Category paints text in the colour of a name's category: the same for the same category, always.
func (c *Colours) Category(name, text string) string {
	category, _, _ := strings.Cut(name, ".")
	if known := c.categories[category]; known != nil {
		return known.Sprint(text)
	}
	h := fnv.New32a()
	h.Write([]byte(category))
	return c.own[h.Sum32()%uint32(len(c.own))].Sprint(text)
}

// severity paints the name of a severity, in a column of the width of the longest.
func (c *Colours) severity(number severity.Number) string {
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
