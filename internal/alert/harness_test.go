package alert_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/isbl/telemetry/internal/alert"
	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/store"
)

// records are records in memory, which outlive a Manager.
type records struct {
	mu       sync.Mutex
	values   map[string][]byte
	versions map[string]uint64
	next     uint64
	down     bool
}

func newRecords() *records {
	return &records{values: map[string][]byte{}, versions: map[string]uint64{}}
}

var errDown = errors.New("no connection")

func (r *records) Get(_ context.Context, key string) ([]byte, uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return nil, 0, errDown
	}
	value, ok := r.values[key]
	if !ok {
		return nil, 0, store.ErrNoRecord
	}
	return value, r.versions[key], nil
}

func (r *records) Put(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return 0, errDown
	}
	if r.versions[key] != revision {
		return 0, store.ErrConflict
	}
	r.next++
	r.values[key], r.versions[key] = value, r.next
	return r.next, nil
}

func (r *records) Delete(_ context.Context, key string, revision uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.versions[key] != revision {
		return store.ErrConflict
	}
	delete(r.values, key)
	delete(r.versions, key)
	return nil
}

func (r *records) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// view is the connection of one collector to records that several share.
type view struct {
	*records
	mu   sync.Mutex
	lost bool
}

func (v *view) setDown(lost bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost = lost
}

func (v *view) err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lost {
		return errDown
	}
	return nil
}

func (v *view) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := v.err(); err != nil {
		return nil, 0, err
	}
	return v.records.Get(ctx, key)
}

func (v *view) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := v.err(); err != nil {
		return 0, err
	}
	return v.records.Put(ctx, key, value, revision)
}

// inbox is a notifier that keeps what it is told.
type inbox struct {
	mu   sync.Mutex
	got  []string
	ids  map[string]int
	fail error
}

func (*inbox) Name() string { return "inbox" }
func (*inbox) Kind() string { return "inbox" }

func (b *inbox) Notify(_ context.Context, m *alert.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	if b.ids == nil {
		b.ids = map[string]int{}
	}
	if b.ids[m.ID]++; b.ids[m.ID] > 1 {
		return nil // as a receiver does
	}
	b.got = append(b.got, fmt.Sprintf("%s %s %s", time.Now().UTC().Format("15:04"), m.Alert.Labels["alertname"], m.Alert.State))
	return nil
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.got...)
}

func (b *inbox) setFail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// world is what an engine would know: when each expression holds.
type world struct {
	mu    sync.Mutex
	holds map[string]func(at time.Time) (promql.Vector, error)
}

func (w *world) query(_ context.Context, expr string, at time.Time) (promql.Vector, annotations.Annotations, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for part, f := range w.holds {
		if strings.Contains(expr, part) {
			v, err := f(at)
			return v, nil, err
		}
	}
	return nil, nil, nil
}

func one(value float64, pairs ...string) promql.Vector {
	return promql.Vector{{F: value, Metric: labels.FromStrings(pairs...)}}
}

func groups(t *testing.T, content string) []rulefile.Group {
	t.Helper()
	parsed, err := rulefile.Parse("test.yaml", []byte(content))
	require.NoError(t, err)
	return parsed
}

func options(t *testing.T, content string, w *world, r *records, b *inbox) alert.Options {
	t.Helper()
	return alert.Options{
		Groups: groups(t, content), QueryOffset: alert.DefaultQueryOffset, Query: w.query, Records: r,
		Oldest: func() time.Time { return time.Time{} }, Once: []alert.Notifier{b}, Logger: zaptest.NewLogger(t),
	}
}

func start(t *testing.T, opts alert.Options) *alert.Manager {
	t.Helper()
	m, err := alert.New(opts)
	require.NoError(t, err)
	return m
}
