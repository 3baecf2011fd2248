// Package alert evaluates alert rules over the events of a store, and tells of alerts.
//
// The rules have Prometheus's format and its semantics. The state of alerts is in the records of
// the store, so an alert that is pending or firing survives a restart. Of several collectors on one
// store one evaluates.
package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/promexpr"
)

const (
	// DefaultInterval is the time between two evaluations of a group that sets none.
	DefaultInterval = time.Minute
	// DefaultQueryOffset is how long before now rules look, so that late events have arrived.
	DefaultQueryOffset = 10 * time.Second
	// resendDelay is how often Alertmanagers are told of an alert, as Prometheus does.
	resendDelay = time.Minute
	// settle is how long after a start no absence is claimed: senders send again what they kept.
	settle = time.Minute
	// recordPrefix begins the keys of records. Names of consumers have no slash.
	recordPrefix = "/alerts/"
)

// Records keep the state of alerts; a store.Records does.
type Records interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error)
	Delete(ctx context.Context, key string, revision uint64) error
}

// Options of a Manager.
type Options struct {
	Groups []rulefile.Group
	// Interval and QueryOffset are for groups that set none. Zero is DefaultInterval; no offset is
	// 0.
	Interval, QueryOffset time.Duration
	Query                 QueryFunc
	Records               Records
	// Shared says that other processes may evaluate the same rules.
	Shared bool
	// Oldest returns the time of the oldest event that is kept; the zero time without any.
	Oldest func() time.Time
	// ExternalLabels are added to each alert that has no such label.
	ExternalLabels map[string]string
	// ExternalURL is where people find this store; nil is none.
	ExternalURL   *url.URL
	Alertmanagers []*Alertmanager
	// Once are told once of each alert that begins to fire and that ends.
	Once    []Notifier
	Observe Observer
	Logger  *zap.Logger
}

// Manager evaluates rules until it is closed.
type Manager struct {
	opts        Options
	environment environment
	groups      []*group
	lease       *lease
	started     time.Time
	stop        context.CancelFunc
	wg          sync.WaitGroup
}

// New starts the evaluation. Close it before the store.
func New(opts Options) (*Manager, error) {
	opts.Interval = cmp.Or(opts.Interval, DefaultInterval)
	if opts.ExternalURL == nil {
		opts.ExternalURL = &url.URL{}
	}
	m := &Manager{opts: opts, started: time.Now(), environment: environment{query: opts.Query, externalLabels: opts.ExternalLabels, externalURL: opts.ExternalURL}}
	shortest := opts.Interval
	for i := range opts.Groups {
		g, err := m.newGroup(&opts.Groups[i])
		if err != nil {
			return nil, err
		}
		m.groups = append(m.groups, g)
		shortest = min(shortest, g.interval)
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	m.lease = newLease(opts.Records, opts.Shared, shortest)
	if opts.Shared {
		m.wg.Go(func() { m.lease.run(ctx) })
	}
	for _, n := range opts.Once {
		opts.Observe.begin(n.Kind(), reasonFull, reasonRefused, reasonDead)
	}
	for _, am := range opts.Alertmanagers {
		opts.Observe.begin(kindAlertmanager, reasonFull)
		m.wg.Go(func() { am.run(ctx) })
	}
	for _, g := range m.groups {
		m.wg.Go(func() { g.run(ctx) })
	}
	return m, nil
}

func (m *Manager) newGroup(in *rulefile.Group) (*group, error) {
	hash := sha256.Sum256([]byte(in.File + "\x00" + in.Name))
	g := &group{Group: *in, m: m, key: recordPrefix + "group/" + hex.EncodeToString(hash[:12]), interval: cmp.Or(in.Interval, m.opts.Interval), offset: m.opts.QueryOffset}
	if in.QueryOffset != nil {
		g.offset = *in.QueryOffset
	}
	var own []string
	for i := range in.Rules {
		own = append(own, rulefile.EventType(in.Rules[i].Alert))
	}
	same := map[string]int{}
	for i := range in.Rules {
		r := rule{Rule: in.Rules[i], limit: maxAlerts}
		if in.Limit > 0 {
			r.limit = min(r.limit, in.Limit)
		}
		expr, err := rulefile.Without(r.Expr, own)
		if err != nil {
			return nil, &rulefile.Error{File: in.File, Group: in.Name, Rule: r.Alert, Line: r.Line, Err: err}
		}
		r.expr = expr
		if rulefile.ClaimsAbsence(r.Parsed) {
			r.window = rulefile.Window(r.Parsed, promexpr.Lookback)
		}
		key := r.Alert + "/" + fingerprint(r.Labels)
		r.key = fmt.Sprintf("%s/%d", key, same[key])
		same[key]++
		g.rules = append(g.rules, r)
	}
	g.snapshot.Store(&GroupStatus{})
	return g, nil
}

// Close ends the evaluation, and gives the lease to others. It returns when the goroutines ended.
func (m *Manager) Close() {
	m.stop()
	m.wg.Wait()
}

// generatorURL leads to the expression of an alert; "" without an ExternalURL.
func (m *Manager) generatorURL(expr string) string {
	if m.opts.ExternalURL.Host == "" {
		return ""
	}
	u := *m.opts.ExternalURL
	u = *u.JoinPath("prometheus", "api", "v1", "query")
	u.RawQuery = url.Values{"query": {expr}}.Encode()
	return u.String()
}
