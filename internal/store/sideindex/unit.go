package sideindex

import (
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/isbl/telemetry/internal/store/wire"
	"github.com/isbl/telemetry/internal/text"
)

// atMost is how many hashes of a section a unit keeps. One with more may have all.
var atMost = [sections]int{ids: 1 << 17, values: 1 << 13, words: 1 << 13}

// unit is neighbouring blocks in the making, of about as many events as one full block has.
type unit struct {
	last   uint64 // sequence
	events int
	bytes  int64 // of the blocks as they are stored
	check  uint64
	sets   [sections]set
}

// set is some hashes, each once.
type set struct {
	list []uint64
	all  bool // it may have any hash
}

// has says whether the set may have a hash.
func (s *set) has(hash uint64) bool { return s.all || slices.Contains(s.list, hash) }

// checkOf goes on with the check of the blocks of a unit: it tells whether they are the same ones
// later on. id is the start of the id of the next block.
func checkOf(check uint64, id uint32) uint64 {
	b := [4]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)}
	return xxh3.HashSeed(b[:], check)
}

// hasher adds what records have to a unit. It keeps its room for the next one.
type hasher struct {
	unit    *unit
	scalars wire.Scalars
	tables  [sections]table
	room    []byte
}

func newHasher(content bool) *hasher {
	h := &hasher{}
	h.scalars.IDs = func(eventID string, traceID [16]byte) {
		h.add(ids, ofEventID(eventID))
		h.add(ids, ofTraceID(traceID))
	}
	if !content {
		return h
	}
	word := func(word []byte) { h.add(words, ofWord(word)) }
	h.scalars.Text = func(path []byte, value string, isWords bool) {
		h.add(values, ofText(ofPath(path), value))
		if isWords {
			h.room = text.EachWord(value, h.room, word)
		}
	}
	h.scalars.Number = func(path []byte, number float64) { h.add(values, ofNumber(ofPath(path), number)) }
	return h
}

// begin makes that what follows is added to a new unit.
func (h *hasher) begin(u *unit) {
	h.unit = u
	h.scalars.Forget()
	for i := range h.tables {
		h.tables[i].clear()
	}
}

func (h *hasher) add(section int, hash uint64) {
	s := &h.unit.sets[section]
	switch {
	case s.all || !h.tables[section].add(hash):
	case len(s.list) == atMost[section]:
		s.list, s.all = nil, true
	default:
		s.list = append(s.list, hash)
	}
}

func (h *hasher) hash(records []wire.Record) {
	for _, r := range records {
		h.scalars.Visit(r)
	}
}

// table knows hashes by their places. The zero value is ready.
type table struct {
	places []uint64 // 0 for none
	used   int
}

func (t *table) clear() {
	clear(t.places)
	t.used = 0
}

// add returns whether a hash was not there before.
func (t *table) add(hash uint64) bool {
	if 2*t.used >= len(t.places) {
		t.grow()
	}
	at := t.find(hash)
	if *at == hash && hash != 0 {
		return false
	}
	*at = hash
	t.used++
	return true
}

// find returns the place of a hash, or the one for it.
func (t *table) find(hash uint64) *uint64 {
	mask := uint64(len(t.places) - 1)
	at := hash & mask
	for t.places[at] != hash && t.places[at] != 0 {
		at = (at + 1) & mask
	}
	return &t.places[at]
}

func (t *table) grow() {
	old := t.places
	t.places = make([]uint64, max(1<<12, 2*len(old)))
	for _, hash := range old {
		if hash != 0 {
			*t.find(hash) = hash
		}
	}
}
