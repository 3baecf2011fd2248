package sideindex

import (
	"os"
	"sort"
)

// Lookup asks an Index for the blocks that cannot match keys. It remembers what it learnt about
// neighbouring blocks. It is for one goroutine.
type Lookup struct {
	x    *Index
	keys Keys

	first    uint64 // sequence of the first block that excluded is about
	ends     []uint64
	excluded []bool // by unit
}

// Lookup returns a Lookup for keys.
func (x *Index) Lookup(keys Keys) Lookup { return Lookup{x: x, keys: keys} }

// Asks says whether some block may be excluded.
func (l *Lookup) Asks() bool { return l.x != nil && l.keys != nil }

// Excludes says that no event of a block matches.
func (l *Lookup) Excludes(seq uint64) bool { return l.ExcludesAll(seq, seq) }

// ExcludesAll says that no event of the blocks from first to last matches.
func (l *Lookup) ExcludesAll(first, last uint64) bool {
	if !l.Asks() {
		return false
	}
	for {
		if !l.knows(first) && !l.learn(first) {
			return false
		}
		unit := unitOf(l.ends, first)
		if !l.excluded[unit] {
			return false
		}
		if first = l.ends[unit] + 1; first > last {
			return true
		}
	}
}

func (l *Lookup) knows(seq uint64) bool {
	n := len(l.ends)
	return n > 0 && seq >= l.first && seq <= l.ends[n-1]
}

// learn looks at the units around a block. It returns false where the index has none.
func (l *Lookup) learn(seq uint64) bool {
	x := l.x
	x.mu.RLock()
	defer x.mu.RUnlock()
	at := sort.Search(len(x.groups), func(i int) bool { return x.groups[i].last() >= seq })
	if at < len(x.groups) && x.groups[at].first <= seq {
		g := x.groups[at]
		l.first, l.ends, l.excluded = g.first, g.ends, make([]bool, len(g.ends))
		file, err := os.Open(g.path)
		if err == nil {
			defer file.Close()
		}
		if err != nil || g.excluded(file, l.keys, l.excluded) {
			x.bad.Store(true)
		}
		return true
	}
	f := &x.fresh
	if n := len(f.ends); n == 0 || seq < f.first || seq > f.ends[n-1] {
		return false
	}
	unit := unitOf(f.ends, seq) // alone: those who follow the newest events ask for one
	l.first = f.first
	if unit > 0 {
		l.first = f.ends[unit-1] + 1
	}
	l.ends, l.excluded = f.ends[unit:unit+1], []bool{f.units[unit].excluded(l.keys)}
	return true
}

// excluded says that no event of a unit matches keys.
func (u *unit) excluded(keys Keys) bool {
	for _, a := range keys {
		may := false
		for _, hash := range a.hashes {
			may = may || u.sets[a.section].has(hash)
		}
		if !may {
			return true
		}
	}
	return false
}
