package store

import "github.com/isbl/telemetry/internal/store/index"

// lose counts a block that turned out to be damaged. It returns its number of events, 0 when
// it was counted before.
func (l *ledger) lose(seq uint64) (events uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events = l.index.Lose(seq)
	l.s.Lost += events
	return events
}

// missed counts events that were stored before and are no more.
func (l *ledger) missed(events uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Recovered += events
	l.s.Lost += events
}

// truncate counts the blocks above last as lost.
func (l *ledger) truncate(last uint64) index.Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := l.index.Truncate(last)
	l.s.Lost += gone.Events
	return gone
}

// hasUnknown says whether there are blocks of which nobody knows whether they are stored.
func (l *ledger) hasUnknown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unknown) > 0
}

// resolve counts the blocks that nobody waits for any more as failed: the stream has been
// followed to its end, and they are not there.
func (l *ledger) resolve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, events := range l.unknown {
		l.s.Unknown -= events
		l.s.Failed += events
		delete(l.unknown, id)
	}
}

// extent returns what is kept, with the events of the oldest blocks, and its bytes.
func (l *ledger) extent(oldest int) (kept index.Extent, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.index.Extent(oldest), l.bytes
}
