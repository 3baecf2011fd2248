package block

// Limits of one list of names in a block's headers.
const (
	maxNames     = 64
	maxNameBytes = 128
	maxListBytes = 6000
)

// Count says how many events there are and how many they stand for, which is more
// when they were sampled.
type Count struct {
	Events    uint64
	Estimated float64
}

func (c *Count) add(d Count) {
	c.Events += d.Events
	c.Estimated += d.Estimated
}

// NameCount is the count of the events with one name.
type NameCount struct {
	Name string
	Count
}

// Names counts events by name. Others are events whose name found no room.
type Names struct {
	List   []NameCount
	Others Count

	bytes int // length of List in the header
}

// Add counts c under name.
func (n *Names) Add(name string, c Count) {
	for i := range n.List {
		if n.List[i].Name == name {
			n.List[i].add(c)
			return
		}
	}
	size := encodedLen(name) + maxCountBytes
	if len(n.List) == maxNames || size > maxNameBytes+maxCountBytes || n.bytes+size > maxListBytes {
		n.Others.add(c)
		return
	}
	n.bytes += size
	n.List = append(n.List, NameCount{name, c})
}

func (n *Names) merge(m *Names) {
	for _, nc := range m.List {
		n.Add(nc.Name, nc.Count)
	}
	n.Others.add(m.Others)
}

// Summary is what the headers say of a block's events.
type Summary struct {
	Events int
	// First and Last are the lowest and highest event timestamp, in nanoseconds
	// since 1970.
	First, Last int64
	Types       Names
	Sources     Names
}

// Add counts one event. estimated is its adjusted count, 1 when it was not sampled.
func (s *Summary) Add(eventType, source string, timestamp int64, estimated float64) {
	s.extend(timestamp, timestamp)
	s.Events++
	c := Count{Events: 1, Estimated: estimated}
	s.Types.Add(eventType, c)
	s.Sources.Add(source, c)
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
