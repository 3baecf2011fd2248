package api

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

// check refuses parameters that the call does not have, or has only once.
func (c *call) check(values url.Values) *problem {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(c.Parameters, func(p parameter) bool {
			return p.Name == name || p.is != nil && p.is(name)
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

// filter reads the parameters of a filter.
func (p *params) filter() *predicate.Predicate {
	spec, err := filter.FromValues(p.values)
	if err == nil {
		var chosen *predicate.Predicate
		if chosen, err = predicate.Compile(&spec, p.now); err == nil {
			return chosen
		}
	}
	var wrong *filter.Fault
	if errors.As(err, &wrong) {
		p.fail(wrong.Name, "%v", wrong)
	}
	return nil
}

// filterParameters choose events, and are the same wherever events are chosen.
func filterParameters() []parameter {
	list := make([]parameter, len(filter.Parameters))
	for i, p := range filter.Parameters {
		list[i] = parameter{Name: p.Name, Description: p.Description, repeatable: p.Repeatable(), is: p.Is}
	}
	return list
}

// list reads a parameter that may be repeated, or hold a list with commas.
func (p *params) list(name string) (all []string) {
	for _, value := range p.values[name] {
		for element := range strings.SplitSeq(value, ",") {
			if element == "" {
				p.fail(name, "%s has an empty element", name)
			}
			all = append(all, element)
		}
	}
	return all
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
