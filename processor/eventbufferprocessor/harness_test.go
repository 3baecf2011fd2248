package eventbufferprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

var (
	errForNow  = errors.New("the disk is full")
	errForGood = consumererror.NewPermanent(errors.New("not in my house"))
)

// sink is a next component that remembers what it took. answer decides about each call; nil takes
// all.
type sink struct {
	answer  func(ctx context.Context, ld plog.Logs) error
	mutates bool

	mu    sync.Mutex
	calls int
	taken []plog.Logs // by call
}

func (s *sink) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: s.mutates}
}

func (s *sink) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	if s.answer != nil {
		if err := s.answer(ctx, ld); err != nil {
			return err
		}
	}
	mine := plog.NewLogs()
	ld.CopyTo(mine)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, mine)
	return nil
}

// ids are the event ids taken, by call.
func (s *sink) ids() (calls [][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ld := range s.taken {
		calls = append(calls, idsOf(ld))
	}
	return calls
}

// events is how many events were taken.
func (s *sink) events() (n int) {
	for _, call := range s.ids() {
		n += len(call)
	}
	return n
}

func idsOf(ld plog.Logs) (ids []string) {
	for event := range eventlog.All(ld) {
		ids = append(ids, event.EventID())
	}
	return ids
}

func typesOf(ld plog.Logs) (types []string) {
	for event := range eventlog.All(ld) {
		types = append(types, event.EventType())
	}
	return types
}

// events is a request with events of these types.
func events(types ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, eventType := range types {
		records.AppendEmpty().SetEventName(eventType)
	}
	return ld
}

// numbered is a request with the events from to to, to not included.
func numbered(from, to int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := from; i < to; i++ {
		r := records.AppendEmpty()
		r.SetEventName("test.event")
		r.Attributes().PutStr(event.AttrUID, fmt.Sprint(i))
	}
	return ld
}

// numbers are the ids that numbered gives.
func numbers(from, to int) (ids []string) {
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprint(i))
	}
	return ids
}

// nested is a value nested too deep.
func nested(record plog.LogRecord) {
	list := record.Attributes().PutEmptySlice("deep")
	for range event.MaxDepth + 1 {
		list = list.AppendEmpty().SetEmptySlice()
	}
}

// running is a started processor.
type running struct {
	processor.Logs
	instance string
}

// create makes a processor through the public factory, of a valid configuration.
func create(t testing.TB, set processor.Settings, next consumer.Logs, change func(*Config)) *running {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, confmap.Validate(cfg))
	r := &running{instance: uuid.NewString()}
	set.Resource.Attributes().PutStr("service.instance.id", r.instance)
	var err error
	r.Logs, err = NewFactory().CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	return r
}

// start creates and starts one. It is shut down with the test.
func start(t testing.TB, next consumer.Logs, change func(*Config)) *running {
	t.Helper()
	r := create(t, processortest.NewNopSettings(metadata.Type), next, change)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return r
}

// snapshot is what the store's API reads.
func (r *running) snapshot(t testing.TB) buffers.Snapshot {
	t.Helper()
	all := buffers.Snapshots(r.instance, nil)
	require.Len(t, all, 1)
	requireAddsUp(t, all[0])
	return all[0]
}

// requireAddsUp checks the promise of each snapshot.
func requireAddsUp(t testing.TB, s buffers.Snapshot) {
	t.Helper()
	sum := s.Filtered + s.SampledOut + s.Failed + s.Forwarded + s.Buffered
	for _, n := range s.Dropped {
		sum += n
	}
	require.Equal(t, s.Received, sum, "%+v", s)
	var types buffers.TypeCounts
	for _, c := range s.EventTypes {
		types.Received += c.Received
		types.Filtered += c.Filtered
		types.SampledOut += c.SampledOut
		types.Dropped += c.Dropped
	}
	require.Equal(t, buffers.TypeCounts{
		Received: s.Received, Filtered: s.Filtered, SampledOut: s.SampledOut, Dropped: s.Dropped["overflow"] + s.Dropped["disabled"],
	}, types, "by event type: %+v", s)
}

// requireOverloaded checks that senders come again: OTLP clients of both kinds look at this.
func requireOverloaded(t testing.TB, err error, text string) {
	t.Helper()
	require.ErrorContains(t, err, text)
	require.False(t, consumererror.IsPermanent(err))
	s, ok := status.FromError(err)
	require.True(t, ok)
	require.Equal(t, codes.Unavailable, s.Code())
	require.Len(t, s.Details(), 1)
	require.Equal(t, time.Second, s.Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
}

// buffered configures `ack: buffered`.
func buffered(overflow string, size, maxEvents int) func(*Config) {
	return func(cfg *Config) {
		cfg.Ack, cfg.Overflow, cfg.BufferSize = ackBuffered, overflow, size
		cfg.Batch = configoptional.Some(BatchConfig{MaxEvents: maxEvents})
	}
}

// stored configures `ack: stored`.
func stored(overflow string, size int) func(*Config) {
	return func(cfg *Config) { cfg.Overflow, cfg.BufferSize = overflow, size }
}
