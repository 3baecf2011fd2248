package consumer

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/when"
)

// Bounds of what a Definition may say.
const (
	MaxInFlight  = 10_000
	minAckWait   = 100 * time.Millisecond
	maxAckWait   = 24 * time.Hour
	minExpiry    = time.Minute
	maxNameBytes = 128
)

// Definition is what a consumer is asked to be. Durations are text, such as 30s.
type Definition struct {
	// Spec chooses the events, as the parameters of the same names do elsewhere in the API.
	filter.Spec
	// From is where it starts: start, now, a time of arrival (RFC 3339 or a duration back
	// from now), or a cursor.
	From string `json:"from"`
	// AckWait is how long a lease lasts, 100ms to 24h.
	AckWait string `json:"ack_wait"`
	// MaxDeliver is how often an event is handed out until it becomes a dead letter. Zero
	// is without end.
	MaxDeliver int `json:"max_deliver"`
	// MaxInFlight is how many events may be handed out and not done before there are no new ones,
	// 1 to 10 000.
	MaxInFlight int `json:"max_in_flight"`
	// Backoff is how long returned and expired events wait.
	Backoff Backoff `json:"backoff"`
	// ExpiresAfter is how long the consumer is kept unused, at least 1m. Empty is for ever.
	ExpiresAfter string `json:"expires_after,omitempty"`
}

// Backoff is the time until an event that failed or expired is handed out again. It is Initial
// after the first delivery and four times as long after each further one, up to Max.
type Backoff struct {
	// Initial is at most 24h; 0s hands out events again at once.
	Initial string `json:"initial"`
	// Max is from Initial to 24h.
	Max string `json:"max"`
}

// DefaultDefinition is what is not said otherwise.
func DefaultDefinition() Definition {
	return Definition{From: "start", AckWait: "30s", MaxDeliver: 5, MaxInFlight: MaxInFlight, Backoff: Backoff{Initial: "1s", Max: "5m"}}
}

// Fault says what of a definition or a name is wrong.
type Fault struct {
	// Field is the key, with dots where it is nested; "name" for the name.
	Field string
	Err   error
}

func (e *Fault) Error() string { return e.Field + ": " + e.Err.Error() }
func (e *Fault) Unwrap() error { return e.Err }

func wrong(field, format string, args ...any) error {
	return &Fault{field, fmt.Errorf(format, args...)}
}

var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*$`)

func checkName(name string) error {
	if len(name) > maxNameBytes || !nameSyntax.MatchString(name) {
		return wrong("name", "a consumer's name has 1 to %d letters, digits, -, _ and =, with single dots between them", maxNameBytes)
	}
	return nil
}

// settings are a Definition, understood.
type settings struct {
	filter       *predicate.Predicate
	ackWait      time.Duration
	maxDeliver   int
	maxInFlight  int
	backoff      backoff
	expiresAfter time.Duration // zero: never
}

// settings checks d. Times that are relative count back from created. Errors: *filter.Fault,
// *Fault. With an error, what could be understood is returned too.
func (d *Definition) settings(created time.Time) (*settings, error) {
	s := &settings{maxDeliver: d.MaxDeliver, maxInFlight: d.MaxInFlight}
	return s, cmp.Or(d.chosen(s, created), d.limits(s))
}

func (d *Definition) chosen(s *settings, created time.Time) (err error) {
	s.filter, err = predicate.Compile(&d.Spec, created)
	return err
}

func (d *Definition) limits(s *settings) (err error) {
	if s.ackWait, err = when.Duration(d.AckWait); err != nil {
		return wrong("ack_wait", "%w", err)
	}
	switch {
	case s.ackWait < minAckWait || s.ackWait > maxAckWait:
		return wrong("ack_wait", "%s is not between %v and %v", d.AckWait, minAckWait, maxAckWait)
	case d.MaxDeliver < 0:
		return wrong("max_deliver", "%d is negative; 0 is without end", d.MaxDeliver)
	case d.MaxInFlight < 1 || d.MaxInFlight > MaxInFlight:
		return wrong("max_in_flight", "%d is not between 1 and %d", d.MaxInFlight, MaxInFlight)
	}
	if s.backoff.initial, err = when.Duration(d.Backoff.Initial); err != nil {
		return wrong("backoff.initial", "%w", err)
	}
	if s.backoff.most, err = when.Duration(d.Backoff.Max); err != nil {
		return wrong("backoff.max", "%w", err)
	}
	if s.backoff.initial > s.backoff.most || s.backoff.most > MaxDelay {
		return wrong("backoff.max", "%s is not between backoff.initial, which is %s, and %v", d.Backoff.Max, d.Backoff.Initial, MaxDelay)
	}
	if d.ExpiresAfter != "" {
		if s.expiresAfter, err = when.Duration(d.ExpiresAfter); err != nil {
			return wrong("expires_after", "%w", err)
		}
		if s.expiresAfter < minExpiry {
			return wrong("expires_after", "%s is less than %v", d.ExpiresAfter, minExpiry)
		}
	}
	return nil
}

// fits says whether a consumer of definition d can become one of definition other: what
// has been handed out was chosen by filter and start.
func (d *Definition) fits(other *Definition) bool {
	return d.From == other.From && d.Equal(&other.Spec)
}

// locate returns the place that from names, and its mark; nil for the start.
func (c *Consumers) locate(ctx context.Context, from string, now time.Time) (next store.Cursor, m *mark, err error) {
	switch from {
	case "start":
		return c.store.Start(), nil, nil
	case "now":
		return c.store.End(), &mark{Arrived: now.UTC()}, nil
	}
	if t, ok := when.Time(from, now); ok {
		t = when.Clamp(t)
		next, err = c.store.At(ctx, t)
		return next, &mark{Arrived: t.UTC()}, err
	}
	next, err = store.ParseCursor(strings.TrimSpace(from))
	if err != nil {
		return next, nil, wrong("from", "%.80q is not start, now, a cursor, or a time: %s", from, when.TimeSyntax)
	}
	if err := c.store.Check(next); err != nil {
		return next, nil, err
	}
	if arrived, err := c.store.Arrived(ctx, next); err == nil && !arrived.IsZero() {
		m = &mark{next, arrived.UTC()}
	}
	return next, m, nil
}
