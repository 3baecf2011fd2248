package consumer

import (
	"context"
	"time"
)

// keepSweeping deletes consumers that were unused for longer than their ExpiresAfter, until ctx
// is done.
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

// sweep looks at all consumers once. It ignores errors: the next sweep tries again.
func (c *Consumers) sweep(ctx context.Context) {
	names, _ := c.Names(ctx)
	for _, name := range names {
		raw, revision, err := c.states.Get(ctx, name)
		if err != nil {
			continue
		}
		s, err := decode(raw)
		if err != nil {
			continue
		}
		understood, _ := s.Definition.settings(s.Created) // also where its filter is not valid any more
		if understood.expiresAfter == 0 || c.now().Sub(s.Used) < understood.expiresAfter {
			continue
		}
		if c.states.Delete(ctx, name, revision) == nil { // fails when it was used meanwhile
			e := c.entry(name)
			e.mu.Lock()
			e.state = nil
			e.mu.Unlock()
			c.forget(name)
		}
	}
}
