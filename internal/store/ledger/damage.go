package ledger

import "github.com/isbl/telemetry/internal/store/index"

// Lose counts a block that turned out to be damaged. It returns its number of events, 0 when
// it was counted before.
func (l *Ledger) Lose(seq uint64) (events uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events = l.index.Lose(seq)
	l.s.Lost += events
	return events
}

// Missed counts events that were stored before and are no more.
func (l *Ledger) Missed(events uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Recovered += events
	l.s.Lost += events
}

// Truncate counts the blocks above last as lost.
func (l *Ledger) Truncate(last uint64) index.Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := l.index.Truncate(last)
	l.s.Lost += gone.Events
	return gone
}

// HasUnknown says whether there are blocks of which nobody knows whether they are stored.
func (l *Ledger) HasUnknown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unknown) > 0
}

// Resolve counts the blocks that nobody waits for any more as failed: the stream has been
// followed to its end, and they are not there.
func (l *Ledger) Resolve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, events := range l.unknown {
		l.s.Unknown -= events
		l.s.Failed += events
		delete(l.unknown, id)
	}
}

// Extent returns what is kept, with the events of the oldest blocks, and its bytes.
func (l *Ledger) Extent(oldest int) (kept index.Extent, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.index.Extent(oldest), l.bytes
}
