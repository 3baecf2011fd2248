package eventbufferprocessor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

// moody is a next component that is slow, fails with a retryable or a permanent error, or refuses
// single records, and counts what it did.
type moody struct {
	sink
	failed atomic.Uint64 // events that it did not take, and will not be asked about again with `ack: buffered`
}

func newMoody() *moody {
	m := &moody{}
	m.answer = func(ctx context.Context, ld plog.Logs) error {
		time.Sleep(rand.N(3 * time.Millisecond))
		switch n := ld.LogRecordCount(); rand.N(12) {
		case 0:
			return errForNow
		case 1:
			m.failed.Add(uint64(n))
			return errForGood
		case 2:
			places := rand.Perm(n)[:1+rand.N(n)]
			m.failed.Add(uint64(len(places)))
			err := refusing(places...)(ctx, ld)
			ids := map[string]bool{}
			for i, id := range idsOf(ld) {
				ids[id] = true
				for _, place := range places {
					if place == i {
						delete(ids, id)
					}
				}
			}
			m.take(ld, ids)
			return err
		default:
			return nil
		}
	}
	return m
}

// take remembers the records with these ids.
func (m *moody) take(ld plog.Logs, ids map[string]bool) {
	mine := plog.NewLogs()
	ld.CopyTo(mine)
	eventlog.RemoveRecords(mine, func(r plog.LogRecord) bool { return !ids[eventlog.Ref{Record: r}.EventID()] })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken = append(m.taken, mine)
}

// books is what the senders know.
type books struct {
	sent     atomic.Uint64 // all events
	filtered atomic.Uint64 // were to be filtered
	thinned  atomic.Uint64 // were to be sampled out
	told     atomic.Uint64 // failed, as their senders were told
	answered atomic.Uint64 // to be kept, and answered with success
}

// request makes one with a bit of everything, and says how many events are to be kept and how many
// are nested too deep.
func (b *books) request(id string) (ld plog.Logs, keep, deep int) {
	ld = plog.NewLogs()
	for range 1 + rand.N(3) {
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for range 1 + rand.N(8) {
			r := records.AppendEmpty()
			r.Attributes().PutStr(event.AttrUID, fmt.Sprint(id, "/", b.sent.Add(1)))
			switch rand.N(8) {
			case 0, 1:
				r.SetEventName("noise.a")
				b.filtered.Add(1)
			case 2:
				r.SetEventName("metric.cpu")
				b.thinned.Add(1)
			case 3:
				r.SetEventName("user.deep")
				nested(r)
				deep++
			default:
				r.SetEventName(fmt.Sprint("user.", rand.N(3)))
				keep++
			}
		}
	}
	return ld, keep, deep
}

// send sends one request, maybe with little patience, and books the answer.
func (b *books) send(ctx context.Context, t *testing.T, p *running, id string) {
	if rand.N(4) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(20*time.Millisecond))
		defer cancel()
	}
	ld, keep, deep := b.request(id)
	err := p.ConsumeLogs(ctx, ld)
	var refused *eventlog.Refused
	switch {
	case errors.As(err, &refused):
		b.told.Add(uint64(len(refused.Records)))
		b.answered.Add(uint64(keep + deep - len(refused.Records)))
	case err != nil:
		b.told.Add(uint64(keep + deep))
	default:
		assert.Zero(t, deep)
		b.answered.Add(uint64(keep))
	}
}

// TestEverythingIsAccountedForUnderLoad is run for every legal combination of overflow and ack,
// against a next component that fails in every way. Time is not real in it, but concurrency is.
func TestEverythingIsAccountedForUnderLoad(t *testing.T) {
	for _, tt := range []struct{ ack, overflow string }{
		{ackStored, overflowBlock},
		{ackStored, overflowReject},
		{ackBuffered, overflowBlock},
		{ackBuffered, overflowReject},
		{ackBuffered, overflowDropOldest},
		{ackBuffered, overflowDropNewest},
	} {
		t.Run(tt.ack+"/"+tt.overflow, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { underLoad(t, tt.ack, tt.overflow) })
		})
	}
}

func underLoad(t *testing.T, ack, overflow string) {
	const senders, requests = 16, 60
	next := newMoody()
	p := create(t, processortest.NewNopSettings(metadata.Type), next, func(cfg *Config) {
		if ack == ackBuffered {
			buffered(overflow, 60, 20)(cfg)
		} else {
			stored(overflow, 60)(cfg)
		}
		if overflow == overflowBlock {
			cfg.MaxWait = ptr(50 * time.Millisecond)
		}
		cfg.ExcludeEventTypes = []string{"noise.*"}
		cfg.SamplingRates = []RateConfig{{EventType: "metric.*", Rate: ptr(0.0)}}
	})
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))

	var b books
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for j := range requests {
				b.send(t.Context(), t, p, fmt.Sprint(i, "/", j))
				time.Sleep(rand.N(2 * time.Millisecond))
			}
		})
	}
	over := make(chan struct{})
	go func() {
		sending.Wait()
		close(over)
	}()
	var readings, underWay int
	for sent := true; sent; readings++ {
		s := p.snapshot(t) // adds up, or fails
		assert.LessOrEqual(t, s.Buffered, s.Capacity, "no request is larger than the buffer")
		underWay = max(underWay, int(s.Buffered))
		select {
		case <-over:
			sent = false
		case <-time.After(100 * time.Microsecond):
		}
	}
	require.NoError(t, p.Shutdown(context.Background()))
	s, _ := p.Logs.(*eventBuffer).buffer.snapshot()
	requireAddsUp(t, s)

	assert.Equal(t, b.sent.Load(), s.Received)
	assert.Zero(t, s.Buffered)
	assert.Zero(t, s.Dropped["disabled"])
	assert.Equal(t, next.events(), int(s.Forwarded), "what was forwarded is there")
	once := map[string]bool{}
	for _, call := range next.ids() {
		for _, id := range call {
			assert.False(t, once[id], "event %s came twice", id)
			once[id] = true
		}
	}
	assert.Equal(t, b.filtered.Load(), s.Filtered)
	assert.Equal(t, b.thinned.Load(), s.SampledOut)
	if ack == ackStored {
		assert.Equal(t, b.told.Load(), s.Failed)
		assert.Equal(t, b.answered.Load(), s.Forwarded, "answered means stored")
		assert.Zero(t, s.Dropped["overflow"])
	} else {
		assert.Equal(t, b.told.Load()+next.failed.Load(), s.Failed)
		assert.Equal(t, b.answered.Load(), s.Forwarded+next.failed.Load()+s.Dropped["overflow"])
		drops := overflow == overflowDropOldest || overflow == overflowDropNewest
		assert.Equal(t, drops, s.Dropped["overflow"] > 0)
	}
	assert.Positive(t, s.Forwarded)
	assert.Positive(t, s.Failed)
	assert.Greater(t, readings, 100)
	assert.Positive(t, underWay)
}
