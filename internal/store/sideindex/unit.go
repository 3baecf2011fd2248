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

// set is some hashes, each once. The zero value is ready.
type set struct {
	list  []uint64
	all   bool     // it may have any hash; list is empty
	table []uint64 // list by place, for add; 0 is none
}

// has says whether the set may have a hash.
func (s *set) has(hash uint64) bool { return s.all || slices.Contains(s.list, hash) }

func (s *set) add(hash uint64, atMost int) {
	if s.all {
		return
	}
	if 2*len(s.list) >= len(s.table) {
		s.grow()
	}
	mask := uint64(len(s.table) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		switch s.table[at] {
		case hash:
			return
		case 0:
			if len(s.list) == atMost {
				s.all, s.list, s.table = true, nil, nil
				return
			}
			s.table[at] = hash
			s.list = append(s.list, hash)
			return
		}
	}
}

func (s *set) grow() {
	s.table = make([]uint64, max(1024, 2*len(s.table)))
	mask := uint64(len(s.table) - 1)
	for _, hash := range s.list {
		at := hash & mask
		for s.table[at] != 0 {
			at = (at + 1) & mask
		}
		s.table[at] = hash
	}
}

// checkOf goes on with the check of the blocks of a unit: it tells whether they are the same ones
// later on. id is the start of the id of the next block.
func checkOf(check uint64, id uint32) uint64 {
	b := [4]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)}
	return xxh3.HashSeed(b[:], check)
}

// hasher adds what records have to a unit.
type hasher struct {
	content bool // values and words too
	unit    *unit
	scalars wire.Scalars
	room    []byte
}

func newHasher(content bool) *hasher {
	h := &hasher{content: content}
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

func (h *hasher) add(section int, hash uint64) { h.unit.sets[section].add(hash, atMost[section]) }

func (h *hasher) hash(records []wire.Record) {
	for _, r := range records {
		eventID, traceID := r.IDs()
		h.add(ids, ofEventID(eventID))
		h.add(ids, ofTraceID(traceID))
		if h.content {
			h.scalars.Visit(r)
		}
	}
}
