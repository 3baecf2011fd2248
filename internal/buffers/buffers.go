// Package buffers lets the store's API find the event_buffer processors of the same collector.
// They meet in the registry.
package buffers

import (
	"cmp"
	"slices"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/registry"
)

const (
	// DroppedOverflow is the reason in Snapshot.Dropped of events that did not fit.
	DroppedOverflow = "overflow"
	// DroppedDisabled is the reason in Snapshot.Dropped of events that came while the processor
	// was disabled.
	DroppedDisabled = "disabled"
)

// TypeCounts counts the events of one type by their outcome.
type TypeCounts struct{ Received, Filtered, SampledOut, Dropped uint64 }

// Configuration says what an event_buffer was told to do, with its defaults. The names are the keys
// of its configuration.
type Configuration struct {
	EventTypes        []string       `json:"event_types,omitempty"`
	ExcludeEventTypes []string       `json:"exclude_event_types,omitempty"`
	SamplingRate      float64        `json:"sampling_rate"`
	SamplingRates     []SamplingRate `json:"sampling_rates,omitempty"`
	BufferSize        int            `json:"buffer_size"`
	Overflow          string         `json:"overflow"`
	// MaxWait is a duration such as "10s"; empty where nothing waits.
	MaxWait string `json:"max_wait,omitempty"`
	Ack     string `json:"ack"`
}

// SamplingRate is the rate of some events: the first that matches decides.
type SamplingRate struct {
	EventType   string  `json:"event_type"`
	MinSeverity string  `json:"min_severity,omitempty"`
	Rate        float64 `json:"rate"`
}

// Snapshot is one consistent reading of the numbers of an event_buffer, in events:
// Received = Filtered + SampledOut + the sum of Dropped + Failed + Forwarded + Buffered.
type Snapshot struct {
	// ID is the component's. Instances is how many instances of it were added up: there is one
	// per pipeline.
	ID        string `json:"id"`
	Instances int    `json:"instances"`
	// Enabled is false where the configuration says `enabled: false`.
	Enabled    bool   `json:"enabled"`
	Received   uint64 `json:"received"`
	Filtered   uint64 `json:"filtered"`
	SampledOut uint64 `json:"sampled_out"`
	// Dropped is by reason.
	Dropped   map[string]uint64 `json:"dropped"`
	Failed    uint64            `json:"failed"`
	Forwarded uint64            `json:"forwarded"`
	Buffered  uint64            `json:"buffered"`
	Capacity  uint64            `json:"capacity"`
	// Configuration is the component's.
	Configuration Configuration `json:"configuration"`
	// EventTypes has names as eventtype.CountedAs gives them.
	EventTypes map[string]TypeCounts `json:"-"`
}

// source is one registered instance.
type source struct {
	component *registry.Component
	snapshot  func() Snapshot
}

var sources = registry.NewSlot[source]("buffers")

// Register makes an instance of a component known to the collector with this instance id, until
// remove is called. Calling remove again does nothing. snapshot must be safe for concurrent use;
// its ID and Instances are ignored.
func Register(instanceID string, component *registry.Component, snapshot func() Snapshot) (remove func()) {
	return sources.Add(instanceID, source{component: component, snapshot: snapshot})
}

// Snapshots reads the instances registered for a collector that shown wants; nil wants all. Those
// of one component are added up, and the components are sorted by id. The caller owns the result;
// it is empty where nothing is registered.
func Snapshots(instanceID string, shown func(*registry.Component) bool) []Snapshot {
	registered := sources.All(instanceID)
	if shown != nil {
		registered = slices.DeleteFunc(registered, func(s source) bool { return !shown(s.component) })
	}
	slices.SortStableFunc(registered, func(a, b source) int { return cmp.Compare(a.component.ID(), b.component.ID()) })

	all := make([]Snapshot, 0, len(registered))
	for _, s := range registered {
		if n := len(all); n == 0 || all[n-1].ID != s.component.ID() {
			all = append(all, Snapshot{ID: s.component.ID(), Dropped: map[string]uint64{}, EventTypes: map[string]TypeCounts{}})
		}
		all[len(all)-1].add(s.snapshot())
	}
	return all
}

// add adds the numbers of one more instance.
func (s *Snapshot) add(one Snapshot) {
	s.Instances++
	s.Enabled = s.Enabled || one.Enabled
	s.Configuration = one.Configuration // all instances have the same
	s.Received += one.Received
	s.Filtered += one.Filtered
	s.SampledOut += one.SampledOut
	s.Failed += one.Failed
	s.Forwarded += one.Forwarded
	s.Buffered += one.Buffered
	s.Capacity += one.Capacity
	for reason, n := range one.Dropped {
		s.Dropped[reason] += n
	}
	for name, more := range one.EventTypes {
		name = eventtype.CountedAs(s.EventTypes, name)
		c := s.EventTypes[name]
		c.Received += more.Received
		c.Filtered += more.Filtered
		c.SampledOut += more.SampledOut
		c.Dropped += more.Dropped
		s.EventTypes[name] = c
	}
}
