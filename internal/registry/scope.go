package registry

import (
	"context"
	"slices"
	"sync"
)

// Component is one instance of a component. It marks the requests that it passes on, so that a
// store knows whose data arrives there. It is safe for concurrent use.
type Component struct {
	kind, id string
	before   sync.Map // of *Component: whose requests it got
}

// NewComponent returns a component of a kind ("receiver", "processor", "exporter") with an id such
// as "event/shop".
func NewComponent(kind, id string) *Component { return &Component{kind: kind, id: id} }

// ID is the component's in the configuration.
func (c *Component) ID() string { return c.id }

// Name is kind and id: "receiver/event/shop".
func (c *Component) Name() string { return c.kind + "/" + c.id }

type componentKey struct{}

// Got notes whose request the component got with ctx. A mark does not survive a component of others
// that starts anew, such as a batch or a queue.
func (c *Component) Got(ctx context.Context) {
	from, ok := ctx.Value(componentKey{}).(*Component)
	if !ok || from == nil {
		return
	}
	if _, known := c.before.Load(from); !known {
		c.before.Store(from, struct{}{})
	}
}

// Mark returns the context of a request that the component passes on.
func (c *Component) Mark(ctx context.Context) context.Context {
	return context.WithValue(ctx, componentKey{}, c)
}

// comesFrom reports whether a request went from other to c, through whatever is between.
func (c *Component) comesFrom(other *Component, seen map[*Component]bool) (found bool) {
	if c == other {
		return true
	}
	if seen[c] {
		return false
	}
	seen[c] = true
	c.before.Range(func(from, _ any) bool {
		found = from.(*Component).comesFrom(other, seen)
		return !found
	})
	return found
}

// Scope says of which components of a collector a store tells. It is safe for concurrent use.
type Scope struct {
	instanceID string
	store      *Component
	named      []string
	forget     func()
}

var scopes = NewSlot[*Scope]("scopes")

// OpenScope makes a store known to the collector with this instance id, until its scope is closed.
// Where named is not empty, the store tells of the components with these names. Otherwise it tells
// of those whose requests it got, or of all while it is the only store of the collector.
func OpenScope(instanceID string, store *Component, named []string) *Scope {
	s := &Scope{instanceID: instanceID, store: store, named: named}
	s.forget = scopes.Add(instanceID, s)
	return s
}

// Close forgets the store. Calling it again, or on nil, does nothing.
func (s *Scope) Close() {
	if s != nil {
		s.forget()
	}
}

// Has reports whether the store tells of a component. The store itself is always among them.
func (s *Scope) Has(c *Component) bool {
	switch {
	case c == s.store:
		return true
	case len(s.named) > 0:
		return c != nil && slices.Contains(s.named, c.Name())
	case len(scopes.All(s.instanceID)) <= 1:
		return true
	}
	return s.store.comesFrom(c, map[*Component]bool{})
}
