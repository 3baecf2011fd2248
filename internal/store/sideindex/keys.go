package sideindex

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"
)

// Sections of a group: what is hashed together.
const (
	ids = iota
	values
	words
	sections
)

// Seeds of the hashes: an event id and a trace id of the same bytes are different keys.
const (
	seedEventID = 1 + iota
	seedTraceID
	seedText
	seedNumber
	seedWord
)

// Keys are what a block contains if an event of it matches: of each group, one of the hashes. nil
// are those of a filter that asks for nothing that is hashed.
type Keys []alternatives

// alternatives are hashes of one section, of which a block has one.
type alternatives struct {
	section int
	hashes  []uint64
}

// AddEventIDs adds that an event has one of some ids. An empty list is any, here and elsewhere.
func (k *Keys) AddEventIDs(list []string) {
	k.add(ids, len(list), func(i int) uint64 { return ofEventID(list[i]) })
}

// AddTraceIDs adds that an event has one of some trace ids.
func AddTraceIDs[T ~[16]byte](k *Keys, list []T) {
	k.add(ids, len(list), func(i int) uint64 { return ofTraceID(list[i]) })
}

// AddWord adds that an event has a word, in lower case.
func (k *Keys) AddWord(word string) {
	k.add(words, 1, func(int) uint64 { return ofWord([]byte(word)) })
}

// AddValue adds that an event has one of some texts or numbers at a path.
func (k *Keys) AddValue(path string, texts []string, numbers []float64) {
	n := len(texts)
	k.add(values, n+len(numbers), func(i int) uint64 {
		p := ofPath([]byte(path))
		if i < n {
			return ofText(p, texts[i])
		}
		return ofNumber(p, numbers[i-n])
	})
}

func (k *Keys) add(section, n int, hash func(i int) uint64) {
	if n == 0 {
		return
	}
	a := alternatives{section: section}
	for i := range n {
		a.hashes = append(a.hashes, hash(i))
	}
	*k = append(*k, a)
}

func ofEventID(id string) uint64   { return xxh3.HashStringSeed(id, seedEventID) }
func ofTraceID(id [16]byte) uint64 { return xxh3.HashSeed(id[:], seedTraceID) }
func ofWord(word []byte) uint64    { return xxh3.HashSeed(word, seedWord) }
func ofPath(path []byte) uint64    { return xxh3.Hash(path) }

// ofText and ofNumber hash a value at a path with some hash.
func ofText(path uint64, text string) uint64 { return xxh3.HashStringSeed(text, path+seedText) }

func ofNumber(path uint64, number float64) uint64 {
	switch {
	case number == 0:
		number = 0 // of any sign
	case math.IsNaN(number):
		number = math.NaN() // whatever its bits
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], math.Float64bits(number))
	return xxh3.HashSeed(b[:], path+seedNumber)
}
