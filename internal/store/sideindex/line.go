package sideindex

import (
	"encoding/binary"
	"math/bits"

	"github.com/isbl/telemetry/internal/store/checksum"
)

const (
	lineBytes = 64
	sumBytes  = checksum.Bytes             // of the rest, at the end of a line
	lineBits  = 8 * (lineBytes - sumBytes) // for hashes
	probes    = 7                          // bits of a hash
)

// line is a Bloom filter for some of the hashes of a unit, in 64 bytes of a group.
type line []byte

func (l line) sum() uint32  { return checksum.Of(l[:lineBytes-sumBytes]) }
func (l line) seal()        { binary.LittleEndian.PutUint32(l[lineBytes-sumBytes:], l.sum()) }
func (l line) intact() bool { return binary.LittleEndian.Uint32(l[lineBytes-sumBytes:]) == l.sum() }

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

func (l line) add(hash uint64) {
	mixed := mix(hash)
	for i := range probes {
		at := probe(mixed, i)
		l[at/8] |= 1 << (at % 8)
	}
}

func (l line) has(hash uint64) bool {
	mixed := mix(hash)
	for i := range probes {
		if at := probe(mixed, i); l[at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

// fill makes a line have all hashes.
func (l line) fill() {
	for i := range lineBytes - sumBytes {
		l[i] = 0xff
	}
}

// lineOf is the line of a hash among so many.
func lineOf(hash uint64, lines int) int {
	at, _ := bits.Mul64(hash, uint64(lines))
	return int(at)
}
