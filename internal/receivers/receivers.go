// Package receivers lets the store's API find the event receivers of the same collector. They meet
// in the registry.
package receivers

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/registry"
)

// Receiver is an event receiver: where events are sent to.
type Receiver struct {
	// ID is the component's; Register sets it.
	ID string `json:"id"`
	// Events and OTLP are the URLs of events as JSON and of OTLP over HTTP; empty where the
	// protocol is off.
	Events string `json:"events_url,omitempty"`
	OTLP   string `json:"otlp_url,omitempty"`
	// TakesTest is set where Send takes events: the port for JSON is open, and wants no
	// authentication.
	TakesTest bool `json:"takes_test_event"`

	component *registry.Component
	// Send passes records on as if the port for JSON had got them. It is nil without TakesTest.
	Send func(context.Context, plog.Logs) error `json:"-"`
}

var slot = registry.NewSlot[Receiver]("receivers")

// Register makes a receiver known to the collector with this instance id, until remove is called.
// Calling remove again does nothing. Send must be safe for concurrent use.
func Register(instanceID string, component *registry.Component, r Receiver) (remove func()) {
	r.ID, r.component = component.ID(), component
	return slot.Add(instanceID, r)
}

// All returns the receivers of a collector that shown wants, each once however many pipelines it is
// in, in order of their start; nil wants all. The caller owns the result.
func All(instanceID string, shown func(*registry.Component) bool) []Receiver {
	all := []Receiver{}
	for _, r := range slot.All(instanceID) {
		if (shown == nil || shown(r.component)) && !slices.ContainsFunc(all, func(known Receiver) bool { return known.ID == r.ID }) {
			all = append(all, r)
		}
	}
	return all
}
