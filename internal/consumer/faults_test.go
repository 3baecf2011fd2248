package consumer

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// faulty is a records that sometimes fails: before it wrote, or after.
type faulty struct {
	bucket
	r     *rand.Rand
	wrote []byte // by the call that failed after it wrote; nil without one
	fail  bool
}

var errInjected = errors.New("injected")

func (f *faulty) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if !f.fail || f.r.IntN(10) > 0 {
		return f.bucket.Put(ctx, key, value, revision)
	}
	if f.r.IntN(2) == 0 {
		return 0, errInjected
	}
	if _, err := f.bucket.Put(ctx, key, value, revision); err != nil {
		return 0, err
	}
	f.wrote = value
	return 0, errInjected
}

// list is a sink of events as numbers.
type list struct {
	t       testing.TB
	got     []int
	cursors []store.Cursor
	cut     int // full at so many; 0 is never
}

func (l *list) Reset() { l.got, l.cursors = l.got[:0], l.cursors[:0] }

func (l *list) Add(e *store.Entry) bool {
	v, ok := e.Ref().Data("n")
	require.True(l.t, ok)
	l.got = append(l.got, int(v.Int()))
	l.cursors = append(l.cursors, e.Cursor)
	return l.cut > 0 && len(l.got) >= l.cut
}
