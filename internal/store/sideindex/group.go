package sideindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"

	"github.com/isbl/telemetry/internal/store/checksum"
)

// The head of a file; docs/format.md describes it.
const (
	magic      = "ISBLSIX1"
	fixedBytes = 32
	entryBytes = 16
)

// Bits for a hash: about one false positive in 10 000. Values and words may get less, see linesFor;
// with 16 there is one in 1000.
var bitsPerHash = [sections]int{ids: 32, values: 24, words: 24}

// share of the bytes of blocks that the lines of a group may take, except for its ids.
const share = 0.24

var errDamaged = errors.New("damaged side index")

// group is neighbouring units, complete. A line of all units lies in one place, so that a lookup
// reads once for each hash. It is immutable.
type group struct {
	path  string
	first uint64   // sequence of the first block
	ends  []uint64 // sequence of the last block of each unit
	check []uint64 // of the blocks of each unit
	lines [sections]int
	bytes int64 // of the file
}

func (g *group) last() uint64 { return g.ends[len(g.ends)-1] }

// firstOf is the sequence of the first block of a unit.
func (g *group) firstOf(unit int) uint64 {
	if unit == 0 {
		return g.first
	}
	return g.ends[unit-1] + 1
}

// unitOf is the unit of a block.
func unitOf(ends []uint64, seq uint64) int {
	return sort.Search(len(ends), func(i int) bool { return ends[i] >= seq })
}

// headBytes is where the lines begin.
func headBytes(units int) int64 {
	n := fixedBytes + units*entryBytes + sumBytes
	return int64((n + lineBytes - 1) / lineBytes * lineBytes)
}

// offset is where the lines of all units with a number are.
func (g *group) offset(section, number int) int64 {
	for _, n := range g.lines[:section] {
		number += n
	}
	return headBytes(len(g.ends)) + int64(number)*int64(len(g.ends))*lineBytes
}

// encode makes the file of some units.
func encode(first uint64, units []*unit) []byte {
	g := group{first: first, lines: linesFor(units)}
	for _, u := range units {
		g.ends, g.check = append(g.ends, u.last), append(g.check, u.check)
	}
	out := make([]byte, g.offset(sections, 0))
	head := out[:copy(out, magic)]
	for _, n := range []int{len(units), g.lines[ids], g.lines[values], g.lines[words]} {
		head = binary.LittleEndian.AppendUint32(head, uint32(n))
	}
	head = binary.LittleEndian.AppendUint64(head, first)
	for i := range units {
		head = binary.LittleEndian.AppendUint64(head, g.ends[i])
		head = binary.LittleEndian.AppendUint64(head, g.check[i])
	}
	binary.LittleEndian.AppendUint32(head, checksum.Of(head))
	for i, u := range units {
		for section := range u.sets {
			g.write(out, section, i, &u.sets[section])
		}
	}
	return out
}

// write writes the lines of a set of a unit.
func (g *group) write(out []byte, section, unit int, s *set) {
	n := g.lines[section]
	if n == 0 {
		return
	}
	lineAt := func(number int) line {
		at := g.offset(section, number) + int64(unit)*lineBytes
		return out[at : at+lineBytes]
	}
	for _, hash := range s.list {
		lineAt(lineOf(hash, n)).add(hash)
	}
	for i := range n {
		if s.all {
			lineAt(i).fill()
		}
		lineAt(i).seal()
	}
}

// linesFor says how many lines of each section the units get. Values and words share what is left
// of the share of the blocks; with less they exclude less.
func linesFor(units []*unit) (lines [sections]int) {
	var wanted [sections]int
	var bytes int64
	for _, u := range units {
		bytes += u.bytes
	}
	for section := range lines {
		if !slices.ContainsFunc(units, func(u *unit) bool { return !u.sets[section].all }) {
			continue // it could exclude nothing
		}
		most, sum := 0, 0
		for _, u := range units {
			n := len(u.sets[section].list)
			most, sum = max(most, n), sum+n
		}
		if section != ids { // more than is usual has to fit in
			most = min(most, sum*5/4/len(units))
		}
		wanted[section] = max(1, (most*bitsPerHash[section]+lineBits-1)/lineBits)
	}
	room := int(share*float64(bytes))/(lineBytes*len(units)) - wanted[ids]
	content := wanted[values] + wanted[words]
	for section, n := range wanted {
		if section != ids && n > 0 && content > room {
			n = max(1, n*room/content)
		}
		lines[section] = n
	}
	return lines
}

// readHead reads the head of a file. Its errors are errDamaged and those of reading.
func readHead(r io.ReaderAt, bytes int64) (*group, error) {
	fixed := make([]byte, fixedBytes)
	if _, err := r.ReadAt(fixed, 0); err != nil || string(fixed[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no head", errDamaged)
	}
	number := func(at int) int { return int(binary.LittleEndian.Uint32(fixed[at:])) }
	units := number(8)
	if units < 1 || headBytes(units) > bytes {
		return nil, fmt.Errorf("%w: %d units", errDamaged, units)
	}
	head := make([]byte, fixedBytes+units*entryBytes+sumBytes)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, err
	}
	body := head[:len(head)-sumBytes]
	if checksum.Of(body) != binary.LittleEndian.Uint32(head[len(body):]) {
		return nil, fmt.Errorf("%w: the checksum of the head does not match", errDamaged)
	}
	g := &group{first: binary.LittleEndian.Uint64(fixed[24:]), bytes: bytes}
	for section := range g.lines {
		if g.lines[section] = number(12 + 4*section); g.lines[section] < 0 || g.lines[section] > math.MaxInt16 {
			return nil, fmt.Errorf("%w: %d lines", errDamaged, g.lines[section])
		}
	}
	next := g.first
	for at := fixedBytes; at < len(body); at += entryBytes {
		end := binary.LittleEndian.Uint64(body[at:])
		if end < next {
			return nil, fmt.Errorf("%w: units out of order", errDamaged)
		}
		g.ends, g.check = append(g.ends, end), append(g.check, binary.LittleEndian.Uint64(body[at+8:]))
		next = end + 1
	}
	if g.offset(sections, 0) != bytes {
		return nil, fmt.Errorf("%w: %d bytes", errDamaged, bytes)
	}
	return g, nil
}

// excluded sets for each unit whether none of its events matches keys. What cannot be read excludes
// nothing, and is reported.
func (g *group) excluded(r io.ReaderAt, keys Keys, out []bool) (damaged bool) {
	row := make([]byte, len(g.ends)*lineBytes)
	may := make([]bool, len(g.ends))
	for _, a := range keys {
		if g.lines[a.section] == 0 {
			continue
		}
		clear(may)
		for _, hash := range a.hashes {
			at := g.offset(a.section, lineOf(hash, g.lines[a.section]))
			if _, err := r.ReadAt(row, at); err != nil {
				return true
			}
			for i := range may {
				l := line(row[i*lineBytes : (i+1)*lineBytes])
				intact := l.intact()
				damaged = damaged || !intact
				may[i] = may[i] || !intact || l.has(hash)
			}
		}
		for i := range may {
			out[i] = out[i] || !may[i]
		}
	}
	return damaged
}
