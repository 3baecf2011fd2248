package alert

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/isbl/telemetry/internal/store"
)

// lease decides which of several collectors evaluates. It does not compare clocks: who holds it
// renews its record, and who sees the record unchanged for an interval takes it, by
// compare-and-set.
type lease struct {
	records  Records
	shared   bool
	id       string
	interval time.Duration // the shortest of a group

	mu      sync.Mutex
	renewed time.Time // zero while another one holds it

	revision uint64    // of the record, as it was seen last
	changed  time.Time // when the record was seen to change
}

const leaseKey = recordPrefix + "lease"

func newLease(records Records, shared bool, interval time.Duration) *lease {
	return &lease{records: records, shared: shared, id: uuid.NewString(), interval: interval}
}

// held says whether this collector evaluates now.
func (l *lease) held() bool {
	if !l.shared {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.renewed.IsZero() && time.Since(l.renewed) < l.interval
}

func (l *lease) set(renewed time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = renewed
}

// run keeps the lease, or waits for it, until ctx ends.
func (l *lease) run(ctx context.Context) {
	tick := time.NewTicker(l.interval / 4)
	defer tick.Stop()
	for {
		l.try(ctx)
		select {
		case <-ctx.Done():
			l.release()
			return
		case <-tick.C:
		}
	}
}

// try renews the lease, or takes it where nobody renews it.
func (l *lease) try(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.interval/2)
	defer cancel()
	now := time.Now()
	holder, revision, err := l.records.Get(ctx, leaseKey)
	switch {
	case errors.Is(err, store.ErrNoRecord):
		revision = 0
	case err != nil:
		return // held ends by itself
	case string(holder) == l.id:
	case revision != l.revision:
		l.revision, l.changed = revision, now
		l.set(time.Time{})
		return
	case now.Sub(l.changed) < l.interval:
		return
	}
	written, err := l.records.Put(ctx, leaseKey, []byte(l.id), revision)
	if err != nil {
		return // the next try sees who has it
	}
	l.revision, l.changed = written, now
	l.set(now)
}

// release lets another collector take over at once.
func (l *lease) release() {
	if !l.held() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if holder, revision, err := l.records.Get(ctx, leaseKey); err == nil && string(holder) == l.id {
		_ = l.records.Delete(ctx, leaseKey, revision) // else others wait an interval
	}
	l.set(time.Time{})
}
