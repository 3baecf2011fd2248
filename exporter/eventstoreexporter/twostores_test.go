package eventstoreexporter

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

// fanOut gives records to the pipelines of one receiver, as the Collector does: to all, and what
// fails in any fails.
type fanOut []consumer.Logs

func (f fanOut) ConsumeLogs(ctx context.Context, ld plog.Logs) (err error) {
	for _, next := range f {
		err = errors.Join(err, next.ConsumeLogs(ctx, ld))
	}
	return err
}

// One of two stores is full: the sender tries again, and with deduplicate the other store keeps
// each event once.
func TestTwoStoresOneFull(t *testing.T) {
	full := start(t, m{"retention": m{"max_events": 2, "when_full": "reject_new"}})
	full.consume(t, numbered(0, 2))
	other := start(t, m{"deduplicate": m{}})
	both := fanOut{full, other}
	for range 3 {
		err := both.ConsumeLogs(t.Context(), numbered(2, 12))
		require.Error(t, err)
		assert.False(t, consumererror.IsPermanent(err), "the sender tries again: %v", err)
	}
	assert.Len(t, other.events(t), 10)
	assert.Len(t, full.events(t), 2)
	var stats struct {
		Store struct{ Stored, Duplicate int }
	}
	other.get(t, "/api/v1/stats", &stats)
	assert.Equal(t, 10, stats.Store.Stored)
	assert.Equal(t, 20, stats.Store.Duplicate)
}
