package store

import (
	"context"
	"runtime"
)

// leastTurns is how many readers hold blocks in memory at once on a small machine.
const leastTurns = 4

func newTurns() chan struct{} { return make(chan struct{}, max(leastTurns, runtime.GOMAXPROCS(0))) }

// Turn is the right to hold blocks in memory: those that are looked at, and those of a Page until
// its events are written elsewhere. So many readers have it at once, whatever they read for; the
// others wait in order. Nobody may wait for a client, or for another Turn, while he has one. It is
// not safe for concurrent use.
type Turn struct {
	s     *Store
	taken bool
}

// NewTurn returns a Turn that is not taken.
func (s *Store) NewTurn() *Turn { return &Turn{s: s} }

// Take waits for the turn, unless it is taken already. Errors: the context's.
func (t *Turn) Take(ctx context.Context) error {
	if t.taken {
		return nil
	}
	select {
	case t.s.turns <- struct{}{}:
		t.taken = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TryTake takes the turn if nobody has to wait, and returns whether it is taken.
func (t *Turn) TryTake() bool {
	if !t.taken {
		select {
		case t.s.turns <- struct{}{}:
			t.taken = true
		default:
		}
	}
	return t.taken
}

// Give lets the next one have the turn. Without a turn it does nothing.
func (t *Turn) Give() {
	if t.taken {
		t.taken = false
		<-t.s.turns
	}
}

// pass lets those that wait go first. Nothing that was looked at may be in use any more.
func (t *Turn) pass(ctx context.Context) error {
	t.Give()
	return t.Take(ctx)
}
