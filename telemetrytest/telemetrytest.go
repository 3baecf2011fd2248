// Package telemetrytest lets an application's tests assert on the events that it emits.
//
//	service := telemetrytest.Start(t)
//	recorder := telemetrytest.Record(t, service)
//	handler(service).ServeHTTP(w, r)
//	events := recorder.Wait("user.login", 1, time.Second)
//	assert.Equal(t, "ann", events[0].Data["user"])
package telemetrytest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventtype"
)

// Start makes and starts a Service with options, and stops it when the test ends. The test fails at
// once where that is not possible.
func Start(t testing.TB, options ...telemetry.Option) *telemetry.Service {
	t.Helper()
	s, err := telemetry.New(options...)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		const patience = 10 * time.Second // for callbacks
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Recorder keeps the events that a Service kept. It takes none away: the application gets all of
// them too. It is safe for concurrent use, except Wait and Never, which belong to the goroutine of
// the test.
type Recorder struct {
	t            testing.TB
	subscription *telemetry.Subscription

	mu      sync.Mutex
	events  []telemetry.Event
	changed chan struct{} // closed and replaced with each event
}

// Record records all events that a Service keeps from now on, until the test ends. The test fails
// at once where the Service is stopped.
func Record(t testing.TB, s *telemetry.Service) *Recorder {
	t.Helper()
	r := &Recorder{t: t, changed: make(chan struct{})}
	var err error
	if r.subscription, err = s.OnEvent("*", r.add); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.subscription.Unsubscribe)
	return r
}

func (r *Recorder) add(_ context.Context, e telemetry.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events returns what was recorded so far and has a type that the pattern covers, in the order in
// which it came. The events are shared: they must not be changed.
func (r *Recorder) Events(pattern string) []telemetry.Event {
	r.t.Helper()
	events, _ := r.matching(r.parse(pattern))
	return events
}

// Wait returns as soon as there are n events whose type the pattern covers: all that there are
// then, in the order in which they came. When there are fewer after timeout, the test fails at once
// and says which events came. The events are shared: they must not be changed.
func (r *Recorder) Wait(pattern string, n int, timeout time.Duration) []telemetry.Event {
	r.t.Helper()
	p := r.parse(pattern)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		events, changed := r.matching(p)
		if len(events) >= n {
			return events
		}
		select {
		case <-changed:
		case <-timer.C:
			r.t.Fatalf("telemetrytest: %d of %d events %q after %v. %s", len(events), n, pattern, timeout, r.describe())
			return nil
		}
	}
}

// Never waits for the whole time, and fails the test at once when there is an event whose type the
// pattern covers, also an earlier one.
func (r *Recorder) Never(pattern string, within time.Duration) {
	r.t.Helper()
	p := r.parse(pattern)
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		events, changed := r.matching(p)
		if len(events) > 0 {
			r.t.Fatalf("telemetrytest: there should be no event %q. %s", pattern, r.describe())
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

func (r *Recorder) parse(pattern string) eventtype.Pattern {
	r.t.Helper()
	p, err := eventtype.ParsePattern(pattern)
	if err != nil {
		r.t.Fatalf("telemetrytest: pattern %q: %v", pattern, err)
	}
	return p
}

func (r *Recorder) matching(p eventtype.Pattern) (events []telemetry.Event, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if p.Matches(e.EventType) {
			events = append(events, e)
		}
	}
	return events, r.changed
}

// describe lists the last events that came.
func (r *Recorder) describe() string {
	const shown = 20
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	if len(r.events) == 0 {
		b.WriteString("No event came")
	} else {
		fmt.Fprintf(&b, "What came (%d):", len(r.events))
	}
	if missed := r.subscription.Stats().Missed; missed > 0 {
		fmt.Fprintf(&b, " (%d more were missed: a larger buffer_size helps)", missed)
	}
	first := max(0, len(r.events)-shown)
	if first > 0 {
		fmt.Fprintf(&b, "\n  … %d earlier", first)
	}
	for i := range r.events[first:] {
		fmt.Fprintf(&b, "\n  %s", telemetry.AppendJSON(nil, &r.events[first+i]))
	}
	return b.String()
}
