package buffers

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/registry"
)

func reading(n uint64) func() Snapshot {
	return func() Snapshot {
		return Snapshot{
			Enabled: true, Received: 10 * n, Filtered: n, SampledOut: n, Failed: n, Forwarded: 4 * n, Buffered: n, Capacity: 100,
			Dropped:    map[string]uint64{DroppedOverflow: n, DroppedDisabled: n},
			EventTypes: map[string]TypeCounts{"user.login": {Received: 10 * n, Filtered: n, SampledOut: n, Dropped: 2 * n}},
		}
	}
}

func TestSnapshotsAddsInstancesUp(t *testing.T) {
	const collector = "c1"
	defer Register(collector, registry.NewComponent("processor", "event_buffer/b"), reading(1))()
	removeOne := Register(collector, registry.NewComponent("processor", "event_buffer/a"), reading(1))
	removeTwo := Register(collector, registry.NewComponent("processor", "event_buffer/a"), reading(2))
	defer Register("another", registry.NewComponent("processor", "event_buffer/a"), reading(50))()

	got := Snapshots(collector, nil)
	assert.Equal(t, []Snapshot{
		{
			ID: "event_buffer/a", Instances: 2, Enabled: true, Received: 30, Filtered: 3, SampledOut: 3, Failed: 3, Forwarded: 12, Buffered: 3,
			Capacity: 200, Dropped: map[string]uint64{"overflow": 3, "disabled": 3},
			EventTypes: map[string]TypeCounts{"user.login": {Received: 30, Filtered: 3, SampledOut: 3, Dropped: 6}},
		},
		{
			ID: "event_buffer/b", Instances: 1, Enabled: true, Received: 10, Filtered: 1, SampledOut: 1, Failed: 1, Forwarded: 4, Buffered: 1,
			Capacity: 100, Dropped: map[string]uint64{"overflow": 1, "disabled": 1},
			EventTypes: map[string]TypeCounts{"user.login": {Received: 10, Filtered: 1, SampledOut: 1, Dropped: 2}},
		},
	}, got)

	removeOne()
	removeOne()
	assert.Equal(t, uint64(20), Snapshots(collector, nil)[0].Received, "only its own registration goes, and only once")
	removeTwo()
	assert.Len(t, Snapshots(collector, nil), 1)
}

func TestSnapshotsOfNobody(t *testing.T) {
	assert.Empty(t, Snapshots("nobody", nil))
	remove := Register("soon gone", registry.NewComponent("processor", "event_buffer"), reading(1))
	remove()
	assert.Empty(t, Snapshots("soon gone", nil))
}

func TestTypesAreBounded(t *testing.T) {
	types := func(prefix string) func() Snapshot {
		return func() Snapshot {
			s := Snapshot{EventTypes: map[string]TypeCounts{eventtype.Others: {Received: 1}}}
			for i := range eventtype.MaxCounted {
				s.EventTypes[fmt.Sprintf("%s.%d", prefix, i)] = TypeCounts{Received: 1}
			}
			return s
		}
	}
	defer Register("many", registry.NewComponent("processor", "event_buffer"), types("a"))()
	defer Register("many", registry.NewComponent("processor", "event_buffer"), types("b"))()

	got := Snapshots("many", nil)[0].EventTypes
	assert.Len(t, got, eventtype.MaxCounted+1)
	assert.Equal(t, uint64(eventtype.MaxCounted+2), got[eventtype.Others].Received, "what does not fit is counted together")
	var sum uint64
	for _, c := range got {
		sum += c.Received
	}
	assert.Equal(t, uint64(2*eventtype.MaxCounted+2), sum, "nothing disappears")
}

func TestConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				remove := Register("busy", registry.NewComponent("processor", fmt.Sprintf("event_buffer/%d", i)), reading(1))
				for _, s := range Snapshots("busy", nil) {
					assert.Equal(t, uint64(10*s.Instances), s.Received)
				}
				remove()
			}
		})
	}
	wg.Wait()
	assert.Empty(t, Snapshots("busy", nil))
}
