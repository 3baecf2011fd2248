package block

import "github.com/isbl/telemetry/internal/severity"

// Summary is what the headers say of a block's events.
type Summary struct {
	Events int
	// First and Last are the lowest and highest event timestamp, in nanoseconds since 1970.
	First, Last int64
	Types       Names
	Sources     Names
}

// Event is what a Summary counts of an event.
type Event struct {
	Type, Source string
	Severity     severity.Number
	// Timestamp is in nanoseconds since 1970.
	Timestamp int64
	// Estimated is the adjusted count, 1 for an event that was not sampled.
	Estimated float64
}

// Add counts one event.
func (s *Summary) Add(e Event) {
	s.extend(e.Timestamp, e.Timestamp)
	s.Events++
	c := Count{Events: 1, Estimated: e.Estimated}
	s.Types.add(e.Type, e.Severity.Base(), c)
	s.Sources.add(e.Source, 0, c)
}

// Merge counts the events of t too.
func (s *Summary) Merge(t *Summary) {
	s.extend(t.First, t.Last)
	s.Events += t.Events
	s.Types.merge(&t.Types)
	s.Sources.merge(&t.Sources)
}

func (s *Summary) extend(first, last int64) {
	if s.Events == 0 {
		s.First, s.Last = first, last
		return
	}
	s.First, s.Last = min(s.First, first), max(s.Last, last)
}
