// Package predicate decides whether an event is one that a filter chooses.
package predicate

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/condition"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/text"
)

// Predicate is a filter that was checked and made ready for many events. It is immutable and safe
// for concurrent use. The nil Predicate matches all events.
//
// It is asked in steps, so that no more of an event is read than the answer needs: MatchesHead if
// ByHead, MatchesSource if BySource, MatchesText if ByText, MatchesContent if ByContent.
type Predicate struct {
	types, sources *eventtype.Selection // nil for all
	since, until   time.Time            // zero for no bound
	from, to       pcommon.Timestamp    // the same: from ≤ time < to
	minSeverity    severity.Number
	eventIDs       []string
	traceIDs       []pcommon.TraceID
	eventIDSet     map[string]struct{} // the same ids: there may be many
	traceIDSet     map[pcommon.TraceID]struct{}
	data           []datum
	text           *text.Search // nil for any
	where          *condition.Condition
	spec           *filter.Spec
}

// All says whether the predicate matches every event.
func (p *Predicate) All() bool {
	return p == nil || p.ByBlock() && p.types == nil && p.sources == nil && p.since.IsZero() && p.until.IsZero()
}

// ByBlock says whether event type, source and time decide alone. They are known of whole blocks.
func (p *Predicate) ByBlock() bool {
	return p == nil || p.minSeverity == 0 && !p.ByText() && !p.ByContent()
}

// Types is which event types match; nil for all.
func (p *Predicate) Types() *eventtype.Selection {
	if p == nil {
		return nil
	}
	return p.types
}

// Sources is which sources match; nil for all.
func (p *Predicate) Sources() *eventtype.Selection {
	if p == nil {
		return nil
	}
	return p.sources
}

// Bounds are those of the event time: since is included, until is not. The zero time is no bound.
func (p *Predicate) Bounds() (since, until time.Time) {
	if p == nil {
		return since, until
	}
	return p.since, p.until
}

// MinSeverity is the severity that events reach at least; 0 for all.
func (p *Predicate) MinSeverity() severity.Number {
	if p == nil {
		return 0
	}
	return p.minSeverity
}

// BlockKey is the same for predicates that choose from the same blocks.
func (p *Predicate) BlockKey() string {
	if p == nil {
		return ""
	}
	return strings.Join([]string{
		strings.Join(p.spec.EventTypes, ","), strings.Join(p.spec.Sources, ","), p.spec.Since, p.spec.Until, p.spec.MinSeverity,
	}, "\n")
}

// IDs are the event ids and the trace ids of which an event has one each; empty for any.
func (p *Predicate) IDs() (eventIDs []string, traceIDs []pcommon.TraceID) {
	if p == nil {
		return nil, nil
	}
	return p.eventIDs, p.traceIDs
}

// Values are values of the data: numbers, and others as JSON shows them.
type Values struct {
	Texts   []string
	Numbers []float64
}

// Data are the values of the data of which an event has one each, by their paths.
func (p *Predicate) Data() iter.Seq2[string, Values] {
	return func(yield func(string, Values) bool) {
		if p == nil {
			return
		}
		for i := range p.data {
			if d := &p.data[i]; !yield(d.path, d.values()) {
				return
			}
		}
	}
}

// Words are words that the strings of an event have, in lower case. It may need more of them.
func (p *Predicate) Words() []string {
	if !p.ByText() {
		return nil
	}
	return p.text.Words()
}

// ByHead says whether event time, type or severity matter.
func (p *Predicate) ByHead() bool {
	return p != nil && (p.types != nil || p.minSeverity != 0 || !p.since.IsZero() || !p.until.IsZero())
}

// MatchesHead says whether event time, type and severity match.
func (p *Predicate) MatchesHead(at pcommon.Timestamp, eventType string, number severity.Number) bool {
	return p == nil || p.from <= at && at < p.to && number.Reaches(p.minSeverity) && p.types.Matches(eventType)
}

// BySource says whether the source matters.
func (p *Predicate) BySource() bool { return p != nil && p.sources != nil }

// MatchesSource says whether the source matches.
func (p *Predicate) MatchesSource(source string) bool { return p == nil || p.sources.Matches(source) }

// ByText says whether the words of the event matter.
func (p *Predicate) ByText() bool { return p != nil && p.text != nil }

// MatchesText says whether the words of the filter are in the strings of an event.
func (p *Predicate) MatchesText(texts []string) bool {
	if !p.ByText() {
		return true
	}
	var found text.Found
	for _, s := range texts {
		if found = p.text.Look(s, found); p.text.All(found) {
			return true
		}
	}
	return false
}

// ByContent says whether ids, data or a condition matter.
func (p *Predicate) ByContent() bool {
	return p != nil && (len(p.eventIDs)+len(p.traceIDs)+len(p.data) > 0 || p.where != nil)
}

// Reads says which attributes of a record MatchesContent reads. only is false where it may read
// more than those and the fields of the record beside attributes and body.
func (p *Predicate) Reads() (attributes []string, only bool) {
	if p == nil || len(p.data) > 0 {
		return nil, p == nil
	}
	if only = true; p.where != nil {
		attributes, only = p.where.Reads()
	}
	if len(p.eventIDs) > 0 {
		attributes = append(slices.Clip(attributes), event.AttrUID)
	}
	return attributes, only
}

// MatchesContent says whether ids, data and condition match. An error is about this event alone:
// the condition cannot be decided for it, or ctx is done.
func (p *Predicate) MatchesContent(ctx context.Context, ref eventlog.Ref) (bool, error) {
	if p == nil {
		return true, nil
	}
	if len(p.eventIDSet) > 0 {
		if _, ok := p.eventIDSet[ref.EventID()]; !ok {
			return false, nil
		}
	}
	if len(p.traceIDSet) > 0 {
		if _, ok := p.traceIDSet[ref.Record.TraceID()]; !ok {
			return false, nil
		}
	}
	for i := range p.data {
		if !p.data[i].matches(ref) {
			return false, nil
		}
	}
	if p.where == nil {
		return true, nil
	}
	return p.where.Matches(ctx, ref)
}
