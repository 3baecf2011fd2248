package eventreceiver

import (
	"context"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
)

// Reasons why an event that was taken looks wrong.
const (
	reasonPast   = "timestamp_past"
	reasonFuture = "timestamp_future"
	reasonForm   = "event_type_form"
	reasonText   = "invalid_utf8"
)

// suspect counts the canonical records that are legal and look wrong all the same. On the way it
// sets the observed time, where the sender did not, to that of the event.
func (c *canonicalizer) suspect(ctx context.Context, ld plog.Logs) {
	now := time.Now()
	earliest, latest := toTimestamp(now.Add(-c.cfg.Problems.Past)), toTimestamp(now.Add(c.cfg.Problems.Future))
	var past, future, form suspicion
	checked := c.defaults.EventType // the last type that looked right
	for event := range eventlog.All(ld) {
		if event.Record.ObservedTimestamp() == 0 {
			// Not now: a request that is sent again would be another one, and stored again. When
			// it arrived is in the store.
			event.Record.SetObservedTimestamp(event.Record.Timestamp())
		}
		switch t := event.Record.Timestamp(); {
		case t < earliest:
			past.add(event)
		case t > latest:
			future.add(event)
		}
		if eventType := event.EventType(); eventType != checked && eventType != c.defaults.EventType {
			if isDotted(eventType) {
				checked = eventType
			} else {
				form.add(event)
			}
		}
	}
	c.report(ctx, reasonPast, &past, func(e eventlog.Ref) string {
		return fmt.Sprintf("the event's time is %s, long before it came", e.Timestamp().Format(time.RFC3339))
	})
	c.report(ctx, reasonFuture, &future, func(e eventlog.Ref) string {
		return fmt.Sprintf("the event's time is %s, ahead of this collector's clock", e.Timestamp().Format(time.RFC3339))
	})
	c.report(ctx, reasonForm, &form, func(eventlog.Ref) string {
		return "the event type is not dotted lower case, like user.login"
	})
}

// suspectText counts events, named by their ids, with text that was not UTF-8.
func (c *canonicalizer) suspectText(ctx context.Context, ld plog.Logs, ids []string) {
	if len(ids) == 0 {
		return
	}
	text := suspicion{events: len(ids)}
	for event := range eventlog.All(ld) {
		if event.EventID() == ids[0] {
			text.first = event
			break
		}
	}
	c.reportText(ctx, &text)
}

func (c *canonicalizer) reportText(ctx context.Context, text *suspicion) {
	c.report(ctx, reasonText, text, func(eventlog.Ref) string {
		return "the event had text that is not UTF-8, or half of a surrogate pair: there is U+FFFD in its place"
	})
}

// suspicion is how many events there are, and the first of them.
type suspicion struct {
	events int
	first  eventlog.Ref
}

func (s *suspicion) add(event eventlog.Ref) {
	if s.events == 0 {
		s.first = event
	}
	s.events++
}

func (c *canonicalizer) report(ctx context.Context, reason string, s *suspicion, detail func(eventlog.Ref) string) {
	if s.events == 0 {
		return
	}
	c.telemetry.ReceiverEventSuspiciousEvents.Add(ctx, int64(s.events), c.reasonOf(reason))
	c.problems.Suspicious(reason, s.events, problems.Problem{
		EventID: s.first.EventID(), EventType: s.first.EventType(), Source: s.first.Source(), Detail: detail(s.first),
	})
}

// toTimestamp keeps to the times that a record has: from 1970 to 2262 are enough here.
func toTimestamp(t time.Time) pcommon.Timestamp {
	return pcommon.Timestamp(min(max(t.UnixNano(), 0), math.MaxInt64))
}

// isDotted says whether a name is of at least two parts, of lower-case letters, digits, _ and -.
func isDotted(name string) bool {
	dots, start := 0, true
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if start {
				return false
			}
			dots++
			start = true
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
			start = false
		default:
			return false
		}
	}
	return dots > 0 && !start
}
