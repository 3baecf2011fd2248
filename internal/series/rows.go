package series

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// rowBytes is what an event takes, valueBytes its number, and rowsBytes a run beside its
	// events.
	rowBytes, valueBytes, rowsBytes = 6, 8, 200
	// keepRows is how long a run that no query asks for is remembered where room is needed.
	keepRows = time.Minute
)

// kind is what counters count of an event.
type kind struct {
	eventType, source string
	severity          severity.Number
	weight            float64
}

// rows are the events of a run: what is left of its blocks for the next query. They are not
// changed.
type rows struct {
	last   uint64 // sequence
	id     uint32 // of the last block
	base   int64  // milliseconds
	after  []uint32
	kinds  []uint16  // of memory
	values []float64 // of numbers; nil for counters
	used   time.Time // for memory alone
}

// place is what rows are of.
type place struct {
	first uint64 // sequence of the run
	of    string // the selector of numbers; "" for all events
}

// memory keeps rows, as many as there is room for. It is safe for concurrent use. What it has is
// not pushed out by what does not fit: each query of more events than it has room for would find
// nothing.
type memory struct {
	limit int

	mu      sync.Mutex
	rows    map[place]*rows
	bytes   int
	swept   time.Time
	numbers map[kind]uint16
	kinds   []kind
}

func newMemory(limit int64) *memory {
	return &memory{limit: int(limit), rows: map[place]*rows{}, numbers: map[kind]uint16{}}
}

// get returns the rows of a run, or nil.
func (m *memory) get(r *store.Run, of string) *rows {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.rows[place{r.First, of}]
	if !r.Whole || found == nil || found.last != r.Last || found.id != r.ID {
		return nil
	}
	found.used = time.Now()
	return found
}

// all returns the kinds that there are.
func (m *memory) all() []kind {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kinds
}

// put keeps rows if there is room.
func (m *memory) put(at place, r *rows) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.rows[at]; old != nil {
		m.drop(at, old)
	}
	size := r.bytes(at)
	if now := time.Now(); m.bytes+size > m.limit && now.Sub(m.swept) > keepRows/10 {
		m.swept = now
		for at, old := range m.rows {
			if now.Sub(old.used) > keepRows {
				m.drop(at, old)
			}
		}
	}
	if m.bytes+size <= m.limit {
		r.used = time.Now()
		m.rows[at], m.bytes = r, m.bytes+size
	}
}

func (m *memory) drop(at place, r *rows) {
	delete(m.rows, at)
	m.bytes -= r.bytes(at)
}

func (r *rows) bytes(at place) int {
	return rowsBytes + len(at.of) + rowBytes*len(r.kinds) + valueBytes*len(r.values)
}

// number returns the number of a kind; ok is false where there are too many.
func (m *memory) number(k kind) (number uint16, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number, ok = m.numbers[k]; ok || len(m.kinds) > math.MaxUint16 {
		return number, ok
	}
	k.eventType, k.source = strings.Clone(k.eventType), strings.Clone(k.source)
	number = uint16(len(m.kinds))
	m.kinds = append(m.kinds, k)
	m.numbers[k] = number
	return number, true
}

// newRows returns rows for a run that was opened; nil where it cannot be remembered: it is not
// whole, or too long.
func newRows(run *store.Run, blocks []store.Block) *rows {
	events := 0
	for _, b := range blocks {
		events += b.Len()
	}
	r := &rows{last: run.Last, id: run.ID, base: ceilMilliseconds(run.Lowest)}
	if !run.Whole || events != run.Events || ceilMilliseconds(run.Highest)-r.base > math.MaxUint32 {
		return nil
	}
	return r
}

// remember keeps the events of a run for the next query. Seen are kinds of which the caller knows
// the number.
func (m *memory) remember(run *store.Run, blocks []store.Block, seen map[kind]uint16) {
	r := newRows(run, blocks)
	if r == nil {
		return
	}
	r.after, r.kinds = make([]uint32, 0, run.Events), make([]uint16, 0, run.Events)
	for _, b := range blocks {
		for i := range b.Len() {
			record := b.Record(i)
			at, eventType, level := record.Head()
			k := kind{eventType, record.Source(), level.Base(), sampling.AdjustedCount(record.Threshold())}
			number, ok := seen[k]
			if !ok {
				if number, ok = m.number(k); !ok {
					return
				}
				seen[m.all()[number]] = number // whose texts are not parts of the block
			}
			r.after, r.kinds = append(r.after, uint32(ceilMilliseconds(int64(at))-r.base)), append(r.kinds, number)
		}
	}
	m.put(place{first: run.First}, r)
}

// slot is where a counter counts events of a kind.
type slot struct {
	known bool
	cells []float64 // nil for events that do not match
	each  float64
}

// countRows counts remembered events.
func (c *counter) countRows(r *rows, low, high int) error {
	kinds := c.memory.all()
	c.slots = append(c.slots, make([]slot, len(kinds)-min(len(kinds), len(c.slots)))...)
	for i, number := range r.kinds {
		s, edge := &c.slots[number], low
		if s.known && s.cells == nil {
			continue
		}
		if low != high {
			if edge, _ = slices.BinarySearch(c.edges, r.base+int64(r.after[i])); !c.counts(edge) {
				continue
			}
		}
		if !s.known {
			if err := c.fill(s, &kinds[number]); err != nil {
				return err
			}
		}
		if s.cells != nil {
			s.cells[edge] += s.each
		}
	}
	return nil
}

func (c *counter) fill(s *slot, k *kind) (err error) {
	s.known, s.each = true, 1
	if c.weighted {
		s.each = k.weight
	}
	if c.matchesType(k.eventType) && c.matchesSource(k.source) && c.matchesSeverity(k.severity) {
		s.cells, err = c.cells(c.keyOf(k.eventType, k.source, k.severity))
	}
	return err
}
