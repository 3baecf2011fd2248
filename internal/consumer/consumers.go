// Package consumer lets named readers work through a store together: each event is handed
// out to one of a consumer's workers, again when the worker fails or runs out of time, and
// is done when it says so.
package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// Errors of Consumers, beside those of the store and *FieldError.
var (
	ErrNoConsumer = errors.New("there is no such consumer")
	// ErrLeaseLost means that the time of a lease ran out and its events were handed out
	// again, or that nobody knows it.
	ErrLeaseLost = errors.New("the lease is lost: its time ran out and somebody else has the events, or it never was")
)

// ConflictError means that a consumer exists with another filter or start.
type ConflictError struct{ Existing, Requested Definition }

func (e *ConflictError) Error() string {
	return "the consumer exists with another filter or from; delete it first, or choose another name"
}

const (
	// sweepEvery is how often unused consumers are looked for.
	sweepEvery = 30 * time.Second
	// lookEvery is how often a waiting fetch looks for what another collector did.
	lookEvery = time.Second
	// rememberEvery is how often the place of a consumer is written for which nothing
	// matches.
	rememberEvery = 10 * time.Second
)

// Consumers are the consumers of one store. They are safe for concurrent use.
type Consumers struct {
	store   *store.Store
	records records
	now     func() time.Time

	mu   sync.Mutex
	open map[string]*entry

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// records keeps the consumers' states; a store.Records.
type records interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error)
	Delete(ctx context.Context, key string, revision uint64) error
	Keys(ctx context.Context) ([]string, error)
}

// entry is what this process knows of a consumer.
type entry struct {
	mu       sync.Mutex // held while the consumer is changed
	state    *state     // nil when it has to be read
	revision uint64
	settings *settings
	// seen is how far everything after state.Next that was looked at did not match; the
	// zero Cursor without that.
	seen store.Cursor

	notify  sync.Mutex
	changed chan struct{} // closed and replaced when the state changes
}

// New returns the consumers of s. Close them before s.
func New(s *store.Store) *Consumers {
	c := &Consumers{store: s, records: s.Records(), now: time.Now, open: map[string]*entry{}}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	c.wg.Go(func() { c.keepSweeping(ctx) })
	return c
}

// Close returns when nothing of c runs any more. It does not end calls under way.
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

func (c *Consumers) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, name)
}

// news returns a channel that is closed when the consumer changes.
func (e *entry) news() <-chan struct{} {
	e.notify.Lock()
	defer e.notify.Unlock()
	return e.changed
}

func (e *entry) tell() {
	e.notify.Lock()
	defer e.notify.Unlock()
	close(e.changed)
	e.changed = make(chan struct{})
}

// change runs f on a copy of a consumer's state, and stores the copy if f returns true. It
// runs f again when somebody else changed the consumer meanwhile.
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
		changed, err := f(e, next)
		if cached && c.store.Shared() && (err != nil || !changed) {
			e.state = nil // what is no longer true may not be the reason
			continue
		}
		if err != nil || !changed {
			return err
		}
		next.Used = c.now().UTC()
		revision, err := c.records.Put(ctx, name, next.encode(), e.revision)
		if errors.Is(err, store.ErrConflict) {
			e.state = nil
			continue
		}
		if err != nil {
			e.state = nil // it may be written all the same
			return err
		}
		if next.Next != e.state.Next {
			e.seen = store.Cursor{}
		}
		e.state, e.revision = next, revision
		e.tell()
		return nil
	}
}

// load reads the state unless it is known. Errors: ErrNoConsumer, and those of the store.
func (c *Consumers) load(ctx context.Context, name string, e *entry) error {
	if e.state != nil {
		return nil
	}
	raw, revision, err := c.records.Get(ctx, name)
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
	if e.settings, err = s.Definition.settings(s.Created); err != nil {
		return errors.Join(errors.New("the record of the consumer cannot be read"), err)
	}
	if revision != e.revision {
		e.seen = store.Cursor{}
	}
	e.state, e.revision = s, revision
	return nil
}

// Put creates a consumer, or changes how it is handed out. It says whether the consumer is
// new. Errors: *FieldError, *ConflictError, *store.CursorError, and those of the store.
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
			e.settings, s.Definition = understood, d
			return true, nil
		})
		if !errors.Is(err, ErrNoConsumer) {
			return false, err
		}
		next, err := locate(ctx, c.store, d.From, now)
		if err != nil {
			return false, err
		}
		s := &state{Definition: d, Created: now, Used: now, Next: next}
		_, err = c.records.Put(ctx, name, s.encode(), 0)
		if !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
	}
}

// Delete removes a consumer. Errors: ErrNoConsumer, *FieldError, and those of the store.
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
		err := c.records.Delete(ctx, name, e.revision)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		e.state = nil
		c.forget(name)
		e.tell()
		return err
	}
}

// Names lists the consumers. Errors: those of the store.
func (c *Consumers) Names(ctx context.Context) ([]string, error) {
	names, err := c.records.Keys(ctx)
	slices.Sort(names)
	return names, err
}

// Seek goes on from another place. What was handed out is not waited for any more. Errors:
// ErrNoConsumer, *FieldError, *store.CursorError, and those of the store.
func (c *Consumers) Seek(ctx context.Context, name, from string) error {
	next, err := locate(ctx, c.store, from, c.now())
	if err != nil {
		return err
	}
	return c.change(ctx, name, func(_ *entry, s *state) (bool, error) {
		s.Next, s.Spans = next, nil
		return true, nil
	})
}

// keepSweeping deletes the consumers that nobody used for as long as they said.
func (c *Consumers) keepSweeping(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// sweep looks at all consumers once. What fails is tried again at the next time.
func (c *Consumers) sweep(ctx context.Context) {
	names, _ := c.Names(ctx)
	for _, name := range names {
		raw, revision, err := c.records.Get(ctx, name)
		if err != nil {
			continue
		}
		s, err := decode(raw)
		if err != nil {
			continue
		}
		understood, err := s.Definition.settings(s.Created)
		if err != nil || understood.expiresAfter == 0 || c.now().Sub(s.Used) < understood.expiresAfter {
			continue
		}
		if c.records.Delete(ctx, name, revision) == nil { // unless it was used just now
			e := c.entry(name)
			e.mu.Lock()
			e.state = nil
			e.mu.Unlock()
			c.forget(name)
		}
	}
}
