// Package question decides whether an event is what a reader asks for, by its content: its
// ids, its data, and conditions in OTTL, the language of the Collector's own components.
package question

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/condition"
)

// Spec is a question as a reader writes it. What it names has to hold all together; of
// several values for one thing any will do. The zero Spec asks for nothing.
type Spec struct {
	EventIDs []string
	// TraceIDs are 32 hexadecimal digits each.
	TraceIDs []string
	// Data are values of the event's data as text, by their path: a key, or keys of nested
	// maps with dots between them.
	Data map[string][]string
	// Where is an OTTL condition on log records, with or without the context `log.` before
	// its paths. At most 4096 bytes.
	Where string
}

// SpecError says what of a Spec is wrong.
type SpecError struct {
	// Field is event_id, trace_id, data or where.
	Field string
	Err   error
}

func (e *SpecError) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.Err) }
func (e *SpecError) Unwrap() error { return e.Err }

// Question is a Spec made ready for many events. It is safe for concurrent use.
type Question struct {
	eventIDs []string
	traceIDs []pcommon.TraceID
	data     []datum
	where    *condition.Condition
}

// New returns the question that spec asks, nil when that is none. Errors: *SpecError.
func New(spec Spec) (*Question, error) {
	q := &Question{eventIDs: spec.EventIDs}
	for _, id := range spec.TraceIDs {
		var traceID pcommon.TraceID
		if n, err := hex.Decode(traceID[:], []byte(id)); len(id) != 2*len(traceID) || n != len(traceID) || err != nil || traceID.IsEmpty() {
			return nil, &SpecError{"trace_id", fmt.Errorf("%.80q is not a trace id: 32 hexadecimal digits, not all zero", id)}
		}
		q.traceIDs = append(q.traceIDs, traceID)
	}
	for _, path := range slices.Sorted(maps.Keys(spec.Data)) {
		q.data = append(q.data, newDatum(path, spec.Data[path]))
	}
	if spec.Where != "" {
		var err error
		if q.where, err = condition.Parse(spec.Where); err != nil {
			return nil, &SpecError{"where", err}
		}
	}
	if len(q.eventIDs)+len(q.traceIDs)+len(q.data) == 0 && q.where == nil {
		return nil, nil
	}
	return q, nil
}

// Matches says whether an event is what the question asks for. An error is about this
// event alone: the condition cannot be decided for it, or ctx is done.
func (q *Question) Matches(ctx context.Context, ref eventlog.Ref) (bool, error) {
	if len(q.eventIDs) > 0 && !slices.Contains(q.eventIDs, ref.EventID()) ||
		len(q.traceIDs) > 0 && !slices.Contains(q.traceIDs, ref.Record.TraceID()) {
		return false, nil
	}
	for i := range q.data {
		if !q.data[i].matches(ref) {
			return false, nil
		}
	}
	if q.where == nil {
		return true, nil
	}
	return q.where.Matches(ctx, ref)
}
