package sideindex

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/isbl/telemetry/internal/store/wire"
)

const (
	lineBytes   = 64
	sumBytes    = 4  // CRC-32C of the rest, at the end of a line
	bitsPerHash = 32 // about one false positive in 10 000 or less
	probes      = 7  // bits of a hash
)

// line is a Bloom filter for some of the hashes of a block.
type line [lineBytes]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (l *line) sum() uint32  { return crc32.Checksum(l[:lineBytes-sumBytes], castagnoli) }
func (l *line) intact() bool { return binary.LittleEndian.Uint32(l[lineBytes-sumBytes:]) == l.sum() }

// probe returns a bit of a line. mixed is a mixed hash.
func probe(mixed uint64, i int) uint64 {
	return (mixed >> (9 * i) & 511) * (lineBytes - sumBytes) / lineBytes
}

// mix makes the bits of a hash independent of those that chose the line.
func mix(hash uint64) uint64 {
	hash *= 0x9e3779b97f4a7c15
	hash ^= hash >> 32
	return hash * 0xd6e8feb86659fd93
}

func (l *line) add(hash uint64) {
	mixed := mix(hash)
	for i := range probes {
		at := probe(mixed, i)
		l[at/8] |= 1 << (at % 8)
	}
}

func (l *line) has(hash uint64) bool {
	mixed := mix(hash)
	for i := range probes {
		if at := probe(mixed, i); l[at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

// lineOf is the line of a hash among those of a block.
func lineOf(hash uint64, lines int) int {
	at, _ := bits.Mul64(hash, uint64(lines))
	return int(at)
}

// encode makes the lines of a block, at least one.
func encode(hashes []uint64) []byte {
	const room = 8 * (lineBytes - sumBytes)
	list := make([]line, max(1, (len(hashes)*bitsPerHash+room-1)/room))
	for _, h := range hashes {
		list[lineOf(h, len(list))].add(h)
	}
	out := make([]byte, 0, len(list)*lineBytes)
	for i := range list {
		l := &list[i]
		binary.LittleEndian.PutUint32(l[lineBytes-sumBytes:], l.sum())
		out = append(out, l[:]...)
	}
	return out
}

// Keys are what a block contains if an event of it matches: one hash of each group. nil are those
// of a filter without ids.
type Keys [][]uint64

// NewKeys returns the keys of events with one of some event ids, and of some trace ids; an empty
// list is any.
func NewKeys[T ~[16]byte](eventIDs []string, traceIDs []T) (keys Keys) {
	var events, traces []uint64
	for _, id := range eventIDs {
		events = append(events, ofEventID(id))
	}
	for _, id := range traceIDs {
		traces = append(traces, ofTraceID(id))
	}
	for _, group := range [][]uint64{events, traces} {
		if group != nil {
			keys = append(keys, group)
		}
	}
	return keys
}

// Seeds of the hashes: an event id and a trace id of the same bytes are different keys.
const (
	seedEventID = 1
	seedTraceID = 2
)

func ofEventID(id string) uint64   { return xxh3.HashStringSeed(id, seedEventID) }
func ofTraceID(id [16]byte) uint64 { return xxh3.HashSeed(id[:], seedTraceID) }

// hashes are those of the ids of records, each once.
func hashes(records []wire.Record) []uint64 {
	list := make([]uint64, 0, 2*len(records))
	for _, r := range records {
		eventID, traceID := r.IDs()
		list = append(list, ofEventID(eventID), ofTraceID(traceID))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
