package alert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/store"
)

// group evaluates the rules of one group, one after the other. Its goroutine has the state; others
// read the snapshot.
type group struct {
	rulefile.Group
	m        *Manager
	key      string // of the record
	interval time.Duration
	offset   time.Duration
	rules    []rule

	state    *groupState // nil: to be read
	revision uint64
	unsure   bool // whether the last write arrived
	written  []byte
	results  []RuleStatus
	at       time.Time

	sending  chan []outcome // nil while nothing is on its way
	snapshot atomic.Pointer[GroupStatus]
}

// run evaluates until ctx ends.
func (g *group) run(ctx context.Context) {
	next := g.first(time.Now())
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			if g.sending != nil {
				<-g.sending
			}
			return
		case outcomes := <-g.sending:
			g.sending = nil
			g.settle(ctx, outcomes)
		case <-timer.C:
			now := time.Now()
			if !now.Before(next) {
				if g.m.lease.held() {
					g.evaluate(ctx, now.UTC())
				} else {
					g.state = nil
				}
				for !next.After(time.Now()) {
					next = next.Add(g.interval)
				}
			}
		}
		wake := next
		if g.state != nil && g.sending == nil && g.m.lease.held() {
			if due := g.deliver(ctx, time.Now().UTC()); !due.IsZero() && due.Before(wake) {
				wake = due
			}
		}
		timer.Reset(time.Until(wake))
	}
}

// first returns when the group is evaluated first: groups are spread over their interval, each at
// the same offset after every start.
func (g *group) first(now time.Time) time.Time {
	var spread uint64
	for _, b := range []byte(g.key) {
		spread = spread*131 + uint64(b)
	}
	slot := now.Truncate(g.interval).Add(time.Duration(spread % uint64(g.interval)))
	if slot.Before(now) {
		slot = slot.Add(g.interval)
	}
	return slot
}

// load reads the state of the group.
func (g *group) load(ctx context.Context, now time.Time) error {
	if g.state != nil {
		return nil
	}
	record, revision, err := g.m.opts.Records.Get(ctx, g.key)
	if errors.Is(err, store.ErrNoRecord) {
		g.state, g.revision, g.written = &groupState{Watched: now, Alerts: map[string]map[string]Alert{}}, 0, nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the state of alerts: %w", err)
	}
	state, err := decodeState(record)
	if err != nil { // better a new beginning than no alerts for ever
		g.m.opts.Logger.Error("the state of alerts cannot be read; they begin anew", zap.String("group", g.Name), zap.Error(err))
		state = &groupState{Watched: now, Alerts: map[string]map[string]Alert{}}
	}
	g.state, g.revision, g.written, g.unsure = state, revision, record, false
	return nil
}

// evaluate evaluates all rules, keeps what changed, and tells it.
func (g *group) evaluate(ctx context.Context, now time.Time) {
	if err := g.load(ctx, now); err != nil {
		g.m.opts.Observe.failure(g.Name, len(g.rules))
		g.m.opts.Logger.Warn("alert rules are not evaluated", zap.String("group", g.Name), zap.Error(err))
		return
	}
	state := g.state.clone()
	results := make([]RuleStatus, len(g.rules))
	known := map[string]bool{}
	for i := range g.rules {
		known[g.rules[i].key] = true
		results[i] = g.evaluateRule(ctx, &g.rules[i], state, now)
		if ctx.Err() != nil {
			return // what the rules saw is of no use
		}
	}
	maps.DeleteFunc(state.Alerts, func(rule string, _ map[string]Alert) bool { return !known[rule] })
	if err := g.write(ctx, state); errors.Is(err, store.ErrConflict) {
		g.state = nil // another collector evaluates: what it found counts
		return
	} else if err != nil {
		// The alerts are told all the same; the next evaluation writes them.
		g.m.opts.Logger.Warn("the state of alerts is not kept", zap.String("group", g.Name), zap.Error(err))
	}
	g.results, g.at = results, now
	g.resend(now)
	g.publish()
}

// evaluateRule moves the alerts of one rule on. An error leaves them as they are.
func (g *group) evaluateRule(ctx context.Context, r *rule, state *groupState, now time.Time) RuleStatus {
	status := RuleStatus{Rule: r.Rule, Health: HealthOK, At: now}
	began := time.Now()
	evaluating, cancel := context.WithTimeout(ctx, max(g.interval, 10*time.Second))
	found, err := r.evaluate(evaluating, &g.m.environment, now, g.offset)
	cancel()
	may := true
	if err == nil && r.window > 0 && len(found) > 0 {
		if may = g.watched(state, r, now); !may {
			err = errNotWatched
		}
	}
	status.Took = time.Since(began)
	if err != nil {
		status.Health, status.Error = HealthErr, err.Error()
		if !errors.Is(err, errNotWatched) {
			g.m.opts.Observe.evaluated(g.Name, status.Took, false)
			g.m.opts.Logger.Warn("an alert rule failed", zap.String("file", g.File), zap.String("group", g.Name),
				zap.String("rule", r.Alert), zap.Int("line", r.Line), zap.Error(err))
			return status
		}
		status.Health = HealthUnknown
	}
	g.m.opts.Observe.evaluated(g.Name, status.Took, true)
	active := state.Alerts[r.key]
	if active == nil {
		active = map[string]Alert{}
	}
	for _, a := range r.advance(active, found, now, may) {
		g.enqueue(state, a, now)
	}
	delete(state.Alerts, r.key)
	if len(active) > 0 {
		state.Alerts[r.key] = active
	}
	return status
}

// watched says whether the window of a rule was seen: the group is evaluated since before it, or
// the store has events from before it. After a start senders have some time to send what they kept
// meanwhile.
func (g *group) watched(state *groupState, r *rule, now time.Time) bool {
	if now.Sub(g.m.started) < min(r.window, settle) {
		return false
	}
	begin := now.Add(-g.offset - r.window)
	if !state.Watched.After(begin) {
		return true
	}
	oldest := g.m.opts.Oldest()
	return !oldest.IsZero() && !oldest.After(begin)
}

// write keeps a state, if it is another one than is kept.
func (g *group) write(ctx context.Context, state *groupState) error {
	record, err := state.encode()
	if err != nil {
		return err
	}
	before := g.state
	g.state = state
	if !g.unsure && g.revision > 0 && sameButValues(before, state) {
		return nil
	}
	if g.unsure {
		stored, revision, err := g.m.opts.Records.Get(ctx, g.key)
		switch {
		case errors.Is(err, store.ErrNoRecord):
			revision = 0
		case err != nil:
			return err
		case revision != g.revision && !slices.Equal(stored, g.written):
			return store.ErrConflict
		}
		g.revision, g.unsure = revision, false
	}
	g.written = record
	revision, err := g.m.opts.Records.Put(ctx, g.key, record, g.revision)
	if err != nil {
		g.unsure = true
		return err
	}
	g.revision = revision
	return nil
}

// sameButValues says whether two states differ only in what the next evaluation finds again: values
// and annotations.
func sameButValues(a, b *groupState) bool {
	if len(a.Out) != len(b.Out) || len(a.Alerts) != len(b.Alerts) || !slices.EqualFunc(a.Out, b.Out, func(x, y delivery) bool {
		return x.ID == y.ID && x.Attempts == y.Attempts
	}) {
		return false
	}
	for rule, alerts := range a.Alerts {
		if !maps.EqualFunc(alerts, b.Alerts[rule], func(x, y Alert) bool {
			return x.State == y.State && x.ActiveAt.Equal(y.ActiveAt) && x.KeepFiringSince.Equal(y.KeepFiringSince) && x.ResolvedAt.Equal(y.ResolvedAt)
		}) {
			return false
		}
	}
	return true
}

// resend tells the Alertmanagers of what fires and what ended, each time that resendDelay is over.
func (g *group) resend(now time.Time) {
	if len(g.m.opts.Alertmanagers) == 0 {
		return
	}
	ends := now.Add(4 * max(g.interval, resendDelay))
	var batch []amAlert
	for _, key := range slices.Sorted(maps.Keys(g.state.Alerts)) {
		alerts := g.state.Alerts[key]
		for _, mark := range slices.Sorted(maps.Keys(alerts)) {
			a := alerts[mark]
			if a.State == Pending || now.Sub(a.sent) < resendDelay {
				continue
			}
			a.sent = now
			alerts[mark] = a
			batch = append(batch, toAlertmanager(&a, ends, g.m.generatorURL(g.exprOf(key))))
		}
	}
	if len(batch) > 0 {
		for _, am := range g.m.opts.Alertmanagers {
			am.offer(batch)
		}
	}
}

func (g *group) exprOf(key string) string {
	for i := range g.rules {
		if g.rules[i].key == key {
			return g.rules[i].Expr
		}
	}
	return ""
}
