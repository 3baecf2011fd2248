package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/natstest"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbered makes events with their number in n.
func numbered(tb testing.TB, first, n int) plog.Logs {
	ld := plog.NewLogs()
	for i := first; i < first+n; i++ {
		e := event.Event{
			EventID: fmt.Sprintf("id-%d", i), Timestamp: time.Unix(int64(i+1), 0).UTC(), EventType: []string{"user.login", "metric.cpu"}[i%2],
			Source: "shop", Data: map[string]any{"n": int64(i)},
		}
		require.NoError(tb, eventlog.AppendRecord(ld, &e))
	}
	return ld
}

func openStore(tb testing.TB, opts store.Options) *store.Store {
	s, err := store.Open(tb.Context(), opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	return s
}

// openStores returns a store in memory, or two that share a stream.
func openStores(tb testing.TB, shared bool) []*store.Store {
	if !shared {
		return []*store.Store{openStore(tb, store.Options{})}
	}
	url := natstest.Start(tb, nil).ClientURL()
	opts := store.Options{NATS: &remote.Options{Servers: []string{url}, Stream: store.DefaultStream}}
	return []*store.Store{openStore(tb, opts), openStore(tb, opts)}
}
