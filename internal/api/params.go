package api

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/eventtype"
)

// check refuses parameters that the call does not have, or has only once.
func (c *call) check(values url.Values) *problem {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(c.Parameters, func(p parameter) bool {
			return p.Name == name || strings.HasPrefix(name, dataPrefix) && strings.HasPrefix(p.Name, dataPrefix)
		})
		switch {
		case i < 0:
			return c.unknownParameter(name)
		case len(values[name]) > 1 && !c.Parameters[i].repeatable:
			return badRequest(name, "%s is given %d times, but may be given once", name, len(values[name]))
		}
	}
	return nil
}

func (c *call) unknownParameter(name string) *problem {
	if len(c.Parameters) == 0 {
		return badRequest(name, "%s takes no parameters, so not %s", c.Path, quote(name))
	}
	names := make([]string, len(c.Parameters))
	for i, p := range c.Parameters {
		names[i] = p.Name
	}
	hint := ""
	if near := nearest(name, names); near != "" {
		hint = " Did you mean " + near + "?"
	}
	return badRequest(name, "There is no parameter %s.%s The parameters of %s are %s.", quote(name), hint, c.Path, strings.Join(names, ", "))
}

// params reads the values of a query's parameters. The first mistake is kept, and what
// is read after it does not count.
type params struct {
	values url.Values
	now    time.Time
	bad    *problem
}

func (p *params) fail(name, format string, args ...any) {
	if p.bad == nil {
		p.bad = badRequest(name, format, args...)
	}
}

func (p *params) has(name string) bool { return len(p.values[name]) > 0 }

// choice returns one of the options; the first is the default.
func (p *params) choice(name string, options ...string) string {
	if !p.has(name) {
		return options[0]
	}
	value := p.values.Get(name)
	if !slices.Contains(options, value) {
		p.fail(name, "%s is %s, but must be %s", name, quote(value), strings.Join(options, " or "))
	}
	return value
}

// selection returns what patterns select, all names without any.
func (p *params) selection(name string) *eventtype.Selection {
	if !p.has(name) {
		return nil
	}
	var patterns []string
	for _, value := range p.values[name] {
		patterns = append(patterns, strings.Split(value, ",")...)
	}
	selection, err := eventtype.NewSelection(patterns, nil)
	if err != nil {
		p.fail(name, "%s: %v", name, err)
	}
	return selection
}

// eventTime returns a bound on event times; the zero time without one.
func (p *params) eventTime(name string) time.Time {
	if !p.has(name) {
		return time.Time{}
	}
	value := p.values.Get(name)
	t, ok := p.time(value)
	if !ok {
		p.fail(name, "%s is %s, but must be a time in RFC 3339 such as 2026-01-02T03:04:05Z, or a duration back from now with its unit, such as 15m, 7d or 2w", name, quote(value))
	}
	return t
}

// time reads a point in time, or a duration back from now.
func (p *params) time(s string) (time.Time, bool) {
	// A + that was not written as %2B arrives as a space, which no such time contains.
	if t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1)); err == nil {
		return t, true
	}
	d, err := parseDuration(s)
	return p.now.Add(-d), err == nil
}

// duration returns a duration from zero to most; zero without one.
func (p *params) duration(name string, most time.Duration) time.Duration {
	if !p.has(name) {
		return 0
	}
	value := p.values.Get(name)
	d, err := parseDuration(value)
	switch {
	case err != nil:
		p.fail(name, "%s: %v", name, err)
	case d > most:
		p.fail(name, "%s is %s, but may be at most %v", name, quote(value), most)
	}
	return d
}

// parseDuration reads a duration that is not negative: what Go writes, or whole days
// (7d) or weeks (2w).
func parseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		suffix string
		length time.Duration
	}{{"d", day}, {"w", 7 * day}} {
		number, found := strings.CutSuffix(s, unit.suffix)
		if n, err := strconv.ParseUint(number, 10, 63); found && err == nil {
			if n > uint64(math.MaxInt64/unit.length) {
				return 0, fmt.Errorf("%s is too long", quote(s))
			}
			return time.Duration(n) * unit.length, nil
		}
	}
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && d >= 0:
		return d, nil
	case err == nil:
		return 0, fmt.Errorf("%s is negative", quote(s))
	}
	if _, err := strconv.ParseUint(s, 10, 63); err == nil {
		return 0, fmt.Errorf("%s has no unit: write %ss", quote(s), s)
	}
	return 0, fmt.Errorf("%s is not a duration: write a number with its unit, such as 5s", quote(s))
}
