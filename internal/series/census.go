package series

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

// leveled is an event type with a severity.
type leveled struct {
	eventType string
	severity  severity.Number
}

// census is what the index knows to be in the store.
type census struct {
	types   map[leveled]bool // true where the severity is known
	sources map[string]bool
	// oldest is the lowest event time, in nanoseconds; math.MaxInt64 in an empty store.
	oldest int64
	// counted are the series that the counters of the query found, by the labels that they need.
	counted map[labelSet]map[key]bool
	// named are event types that have series whether the store has them or not.
	named []string
}

func newCensus(named []string) *census {
	return &census{types: map[leveled]bool{}, sources: map[string]bool{}, counted: map[labelSet]map[key]bool{}, oldest: math.MaxInt64, named: named}
}

func (c *census) run(r *store.Run) {
	c.oldest = min(c.oldest, r.Lowest)
	for i := range r.Types {
		t := leveled{r.Types[i].Name, r.Types[i].Severity}
		if known, seen := c.types[t]; !seen || r.KnownSeverities && !known {
			c.types[t] = r.KnownSeverities
		}
	}
	for i := range r.Sources {
		c.sources[r.Sources[i].Name] = true
	}
}

// note notes the series that a counter found.
func (c *census) note(of *counter) {
	if c.counted[of.labels] == nil {
		c.counted[of.labels] = map[key]bool{}
	}
	for k := range of.groups {
		c.counted[of.labels][k] = true
	}
}

// addZeros adds series of zeros: for those that another selector of the query has, and for what the
// store has events of, though not in the range of the query. Where it is not known with which
// sources and severities an event type occurred, the type has one series if it has no other, with
// the source and the severity that the selector asks for.
func (c *counter) addZeros(known *census) error {
	needed := c.labels | c.set()
	have := map[string]bool{}
	if c.set()&^c.labels == 0 {
		for k := range known.counted[c.labels] {
			if c.matchesKey(k) {
				if err := c.add(k, 0, 0, 0); err != nil {
					return err
				}
			}
		}
	}
	for k := range c.groups {
		have[k.eventType] = true
	}
	source, hasSource := constant(c.bySource)
	level, hasLevel := constantSeverity(c.bySeverity)
	if c.labels&labelSource == 0 {
		for name := range known.sources {
			hasSource = hasSource || c.matchesSource(name)
		}
	}
	if c.labels&labelSeverity == 0 {
		for t := range known.types {
			hasLevel = hasLevel || c.matchesSeverity(t.severity)
		}
	}
	zero := func(k key) error { return c.add(k, 0, 0, 0) }
	alone := func(eventType string) error {
		k := c.keyOf(eventType, source, level)
		if have[k.eventType] || !hasSource || !hasLevel || !c.matchesType(eventType) {
			return nil
		}
		return zero(k)
	}
	for t, exact := range known.types {
		switch {
		case !c.matchesType(t.eventType):
		case needed&labelSource == 0 && (exact || needed&labelSeverity == 0):
			if !c.matchesSeverity(t.severity) {
				continue
			}
			if err := zero(c.keyOf(t.eventType, "", t.severity)); err != nil {
				return err
			}
			have[c.keyOf(t.eventType, "", 0).eventType] = true
		}
	}
	if needed == labelSource && c.labels == labelSource {
		for name := range known.sources {
			if c.matchesSource(name) {
				if err := zero(key{source: name}); err != nil {
					return err
				}
				have[""] = true
			}
		}
	}
	for t := range known.types {
		if err := alone(t.eventType); err != nil {
			return err
		}
	}
	for _, eventType := range known.named {
		if err := alone(eventType); err != nil {
			return err
		}
	}
	return nil
}

// matchesKey says whether a series matches, which has all labels that the matchers ask of.
func (c *counter) matchesKey(k key) bool {
	if c.labels&labelType == 0 && !matchesAll(c.byCategory, k.eventType) {
		return false
	}
	return (c.labels&labelType == 0 || c.matchesType(k.eventType)) && c.matchesSource(k.source) && c.matchesSeverity(k.severity)
}

// constant returns the value that a label has in a series of which nothing else is known: the one
// that a matcher asks for, or none. ok is false where the matchers want another one.
func constant(list []*labels.Matcher) (value string, ok bool) {
	for _, m := range list {
		if m.Type == labels.MatchEqual {
			value = m.Value
		}
	}
	return value, matchesAll(list, value)
}

func constantSeverity(list []*labels.Matcher) (level severity.Number, ok bool) {
	name, ok := constant(list)
	if name == "" {
		return 0, ok
	}
	level, known := severity.Parse(name)
	return level, ok && known && severityLabel(level) == name
}
