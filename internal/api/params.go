package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
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
		return badRequest(name, "%s takes no parameters, so not %s", c.Path, text.Quote(name))
	}
	names := make([]string, len(c.Parameters))
	for i, p := range c.Parameters {
		names[i] = p.Name
	}
	hint := ""
	if near := nearest(name, names); near != "" {
		hint = " Did you mean " + near + "?"
	}
	return badRequest(name, "There is no parameter %s.%s The parameters of %s are %s.", text.Quote(name), hint, c.Path, strings.Join(names, ", "))
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
		p.fail(name, "%s is %s, but must be %s", name, text.Quote(value), strings.Join(options, " or "))
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
	t, ok := when.Time(value, p.now)
	if !ok {
		p.fail(name, "%s is %s, but must be a time in RFC 3339 such as 2026-01-02T03:04:05Z, or a duration back from now with its unit, such as 15m, 7d or 2w", name, text.Quote(value))
	}
	return t
}

// duration returns a duration from zero to most; zero without one.
func (p *params) duration(name string, most time.Duration) time.Duration {
	if !p.has(name) {
		return 0
	}
	value := p.values.Get(name)
	d, err := when.Duration(value)
	switch {
	case err != nil:
		p.fail(name, "%s: %v", name, err)
	case d > most:
		p.fail(name, "%s is %s, but may be at most %v", name, text.Quote(value), most)
	}
	return d
}
