package predicate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/condition"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

var errEmpty = errors.New("the list has an empty element")

// Compile checks a filter. Times that it writes as durations count back from now. The caller must
// not change spec afterwards. Errors: *filter.Fault.
func Compile(spec *filter.Spec, now time.Time) (*Predicate, error) {
	p := &Predicate{eventIDs: spec.EventIDs, to: math.MaxUint64, spec: spec}
	if wrong, err := p.compile(spec, now); err != nil {
		return nil, &filter.Fault{Name: wrong, Err: err}
	}
	return p, nil
}

// compile says which parameter is wrong.
func (p *Predicate) compile(spec *filter.Spec, now time.Time) (wrong string, err error) {
	if p.types, err = selection(spec.EventTypes); err != nil {
		return "event_type", err
	}
	if p.sources, err = selection(spec.Sources); err != nil {
		return "source", err
	}
	if wrong, err = p.compileTimes(spec, now); err != nil {
		return wrong, err
	}
	if p.minSeverity, err = minSeverity(spec.MinSeverity); err != nil {
		return "min_severity", err
	}
	if err = noneEmpty(spec.EventIDs); err != nil {
		return "event_id", err
	}
	if p.traceIDs, err = traceIDs(spec.TraceIDs); err != nil {
		return "trace_id", err
	}
	p.eventIDSet, p.traceIDSet = setOf(p.eventIDs), setOf(p.traceIDs)
	if spec.Text != "" {
		if p.text, err = text.NewSearch(spec.Text); err != nil {
			return "text", err
		}
	}
	if p.where, err = where(spec.Where); err != nil {
		return "where", err
	}
	for _, path := range slices.Sorted(maps.Keys(spec.Data)) {
		if _, err := filter.ParsePath(filter.DataPrefix + path); err != nil {
			return filter.DataPrefix + path, err
		}
		p.data = append(p.data, newDatum(path, spec.Data[path]))
	}
	return "", nil
}

// selection returns nil where patterns select all names.
func selection(patterns []string) (*eventtype.Selection, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	s, err := eventtype.NewSelection(patterns, nil)
	if err != nil || s.All() {
		return nil, err
	}
	return s, nil
}

// compileTimes reads the bounds of the event time; it says which of them is wrong.
func (p *Predicate) compileTimes(spec *filter.Spec, now time.Time) (wrong string, err error) {
	var since, until time.Time
	if spec.Since != "" {
		if since, err = eventTime(spec.Since, now); err != nil {
			return "since", err
		}
		p.since = when.Clamp(since)
		p.from = pcommon.NewTimestampFromTime(p.since)
	}
	if spec.Until != "" {
		if until, err = eventTime(spec.Until, now); err != nil {
			return "until", err
		}
		if until.Before(since) {
			return "until", errors.New("it lies before since, so no event can match")
		}
		if p.until = when.Until(until); !p.until.IsZero() {
			p.to = pcommon.NewTimestampFromTime(p.until)
		}
	}
	return "", nil
}

func eventTime(s string, now time.Time) (time.Time, error) {
	t, ok := when.Time(s, now)
	if !ok {
		return t, fmt.Errorf("%s is not a time: write %s", text.Quote(s), when.TimeSyntax)
	}
	return t, nil
}

func minSeverity(name string) (severity.Number, error) {
	if name == "" {
		return 0, nil
	}
	n, ok := severity.Parse(name)
	if !ok {
		return 0, fmt.Errorf("%s is no severity: write %s", text.Quote(name), severity.Syntax)
	}
	return n, nil
}

func noneEmpty(list []string) error {
	if slices.Contains(list, "") {
		return errEmpty
	}
	return nil
}

func setOf[T comparable](list []T) map[T]struct{} {
	set := make(map[T]struct{}, len(list))
	for _, one := range list {
		set[one] = struct{}{}
	}
	return set
}

func traceIDs(list []string) (ids []pcommon.TraceID, err error) {
	if err := noneEmpty(list); err != nil {
		return nil, err
	}
	for _, s := range list {
		var id pcommon.TraceID
		if len(s) == 2*len(id) {
			_, err = hex.Decode(id[:], []byte(s))
		}
		if err != nil || id.IsEmpty() {
			return nil, fmt.Errorf("%s is not a trace id: 32 hexadecimal digits, not all zero", text.Quote(s))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func where(s string) (*condition.Condition, error) {
	if s == "" {
		return nil, nil
	}
	return condition.Parse(s)
}
