// Package consumer keeps the progress of named readers. A consumer hands out each event to one of
// its workers, and hands it out again when the worker fails or its lease expires, until a worker
// acknowledges it.
package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// sweepEvery is the interval between two searches for unused consumers.
	sweepEvery = 30 * time.Second
	// lookEvery is the interval in which a waiting fetch looks for changes by other collectors.
	lookEvery = time.Second
	// rememberEvery is the interval in which the place of a consumer is written while no event
	// matches.
	rememberEvery = 10 * time.Second
)

// Consumers are the consumers of one store. They are safe for concurrent use.
type Consumers struct {
	store  *store.Store
	states bucket
	now    func() time.Time

	mu   sync.Mutex
	open map[string]*entry

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// bucket keeps the states of consumers by name; it is a store.Records.
type bucket interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error)
	Delete(ctx context.Context, key string, revision uint64) error
	Keys(ctx context.Context) ([]string, error)
}

// entry is what this process knows about a consumer.
type entry struct {
	mu       sync.Mutex // held while the consumer is changed
	state    *state     // nil: to be read
	revision uint64
	settings *settings
	invalid  error // what of the definition is not valid any more
	// seen is a place after state.Next, and no event between the two matches; else the zero
	// Cursor.
	seen store.Cursor
	// marked is when state.Mark was looked up last.
	marked time.Time

	notify  sync.Mutex
	changed chan struct{} // closed and replaced when the state changes
}

// New returns the consumers of s. Close them before s.
func New(s *store.Store) *Consumers {
	c := &Consumers{store: s, states: s.Records(), now: time.Now, open: map[string]*entry{}}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	c.wg.Go(func() { c.keepSweeping(ctx) })
	return c
}

// Close ends the goroutines of c, and waits for them. It does not end calls in flight.
func (c *Consumers) Close() {
	c.stop()
	c.wg.Wait()
}

func (c *Consumers) entry(name string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.open[name]
	if e == nil {
		e = &entry{changed: make(chan struct{})}
		c.open[name] = e
	}
	return e
}

// forget removes what this process knows about a consumer.
func (c *Consumers) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, name)
}

// nextChange returns a channel that is closed when the consumer changes.
func (e *entry) nextChange() <-chan struct{} {
	e.notify.Lock()
	defer e.notify.Unlock()
	return e.changed
}

// notifyChange closes the channel of nextChange.
func (e *entry) notifyChange() {
	e.notify.Lock()
	defer e.notify.Unlock()
	close(e.changed)
	e.changed = make(chan struct{})
}

// change calls f with a copy of a consumer's state, and stores the copy if f returns true. It
// calls f again when another collector changed the consumer meanwhile.
func (c *Consumers) change(ctx context.Context, name string, f func(e *entry, s *state) (bool, error)) error {
	if err := checkName(name); err != nil {
		return err
	}
	e := c.entry(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		cached := e.state != nil
		if err := c.load(ctx, name, e); err != nil {
			return err
		}
		next := e.state.clone()
		if err := c.translate(ctx, e, next); err != nil {
			return err
		}
		changed, err := f(e, next)
		if cached && c.store.Shared() && (err != nil || !changed) {
			e.state = nil // decide on the state that is stored now
			continue
		}
		if err != nil || !changed {
			return err
		}
		next.Used = c.now().UTC()
		revision, err := c.states.Put(ctx, name, next.encode(), e.revision)
		if errors.Is(err, store.ErrConflict) {
			e.state = nil
			continue
		}
		if err != nil {
			e.state = nil // it may have been written
			return err
		}
		if next.Next != e.state.Next {
			e.seen = store.Cursor{}
		}
		e.state, e.revision = next, revision
		e.notifyChange()
		return nil
	}
}

// load reads the state unless the entry has it. Errors: ErrNoConsumer, and those of the store.
func (c *Consumers) load(ctx context.Context, name string, e *entry) error {
	if e.state != nil {
		return nil
	}
	raw, revision, err := c.states.Get(ctx, name)
	if errors.Is(err, store.ErrNoRecord) {
		c.forget(name)
		return ErrNoConsumer
	}
	if err != nil {
		return err
	}
	s, err := decode(raw)
	if err != nil {
		return errors.Join(errors.New("the record of the consumer cannot be read"), err)
	}
	e.settings, e.invalid = s.Definition.settings(s.Created)
	if revision != e.revision {
		e.seen = store.Cursor{}
	}
	e.state, e.revision = s, revision
	return nil
}

// Put creates a consumer, or changes all of its definition except filter and start. It returns
// whether the consumer is new. Errors: *filter.Fault, *Fault, *ConflictError,
// *store.CursorError, and those of the store.
func (c *Consumers) Put(ctx context.Context, name string, d Definition) (created bool, err error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	now := c.now().UTC()
	if _, err := d.settings(now); err != nil {
		return false, err
	}
	for {
		err := c.change(ctx, name, func(e *entry, s *state) (bool, error) {
			if !d.fits(&s.Definition) {
				return false, &ConflictError{Existing: s.Definition, Requested: d}
			}
			understood, err := d.settings(s.Created)
			if err != nil {
				return false, err
			}
			e.settings, e.invalid, s.Definition = understood, nil, d
			return true, nil
		})
		if !errors.Is(err, ErrNoConsumer) {
			return false, err
		}
		next, mark, err := c.locate(ctx, d.From, now)
		if err != nil {
			return false, err
		}
		s := &state{Definition: d, Created: now, Used: now, Next: next, Mark: mark}
		_, err = c.states.Put(ctx, name, s.encode(), 0)
		if !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
	}
}

// Delete removes a consumer. Errors: ErrNoConsumer, *Fault, and those of the store.
func (c *Consumers) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	e := c.entry(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		e.state = nil
		if err := c.load(ctx, name, e); err != nil {
			return err
		}
		err := c.states.Delete(ctx, name, e.revision)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		e.state = nil
		c.forget(name)
		e.notifyChange()
		return err
	}
}

// Names lists the consumers. Errors: those of the store.
func (c *Consumers) Names(ctx context.Context) ([]string, error) {
	names, err := c.states.Keys(ctx)
	slices.Sort(names)
	return names, err
}

// Seek continues from another place, and forgets all leases. Errors: ErrNoConsumer, *Fault,
// *store.CursorError, and those of the store.
func (c *Consumers) Seek(ctx context.Context, name, from string) error {
	next, mark, err := c.locate(ctx, from, c.now())
	if err != nil {
		return err
	}
	return c.change(ctx, name, func(_ *entry, s *state) (bool, error) {
		s.Next, s.Mark, s.Spans, s.Gap, s.Trouble = next, mark, nil, nil, nil
		return true, nil
	})
}
