package alert

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/store"
)

// Health of a rule.
type Health string

// Health is unknown before the first evaluation, and while an expression holds whose window was
// not watched.
const (
	HealthOK      Health = "ok"
	HealthErr     Health = "err"
	HealthUnknown Health = "unknown"
)

// GroupStatus is what the last evaluation of a group gave.
type GroupStatus struct {
	File, Name string
	Interval   time.Duration
	Limit      int
	Rules      []RuleStatus
	At         time.Time // zero before the first evaluation by this collector
}

// RuleStatus is what the last evaluation of a rule gave.
type RuleStatus struct {
	rulefile.Rule
	Health Health
	Error  string
	At     time.Time
	Took   time.Duration
	// Alerts are pending or firing.
	Alerts []Alert
}

// Status returns all groups. Where another collector evaluates, the alerts are those that it wrote.
func (m *Manager) Status(ctx context.Context) ([]GroupStatus, error) {
	all := make([]GroupStatus, len(m.groups))
	for i, g := range m.groups {
		if snapshot := g.snapshot.Load(); m.lease.held() && !snapshot.At.IsZero() {
			all[i] = *snapshot
			continue
		}
		state := &groupState{}
		record, _, err := m.opts.Records.Get(ctx, g.key)
		if err == nil {
			state, err = decodeState(record)
		}
		if err != nil && !errors.Is(err, store.ErrNoRecord) {
			return nil, err
		}
		status := g.status()
		g.fill(status, state)
		all[i] = *status
	}
	return all, nil
}

// publish makes the state visible to other goroutines.
func (g *group) publish() {
	status := g.status()
	status.Rules, status.At = slices.Clone(g.results), g.at
	g.fill(status, g.state)
	g.snapshot.Store(status)
}

func (g *group) status() *GroupStatus {
	return &GroupStatus{File: g.File, Name: g.Name, Interval: g.interval, Limit: g.Limit}
}

// fill adds the alerts of each rule.
func (g *group) fill(status *GroupStatus, state *groupState) {
	if len(status.Rules) == 0 {
		for i := range g.rules {
			status.Rules = append(status.Rules, RuleStatus{Rule: g.rules[i].Rule, Health: HealthUnknown})
		}
	}
	for i := range status.Rules {
		alerts := slices.DeleteFunc(slices.Collect(maps.Values(state.Alerts[g.rules[i].key])), func(a Alert) bool { return a.State == Inactive })
		slices.SortFunc(alerts, func(x, y Alert) int {
			return cmp.Or(x.ActiveAt.Compare(y.ActiveAt), cmp.Compare(fingerprint(x.Labels), fingerprint(y.Labels)))
		})
		status.Rules[i].Alerts = alerts
	}
}
