// Package sideindex says which blocks cannot contain an event that a filter asks for, so that a
// search does not open them. It is made of the blocks, in files of its own, and only excludes: what
// is lost, damaged or not there yet is searched. docs/format.md describes the files.
package sideindex

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// folder is the folder of the files, in the directory of the store.
	folder = "sideindex"
	// unfinished ends the name of a file that is being written.
	unfinished = ".new"
	// patience is how long nothing is made after files could not be written.
	patience = time.Minute
)

// Options say how an Index is made.
type Options struct {
	// Directory is that of the store. Without one, and where it cannot be written, there is no
	// Index.
	Directory string
	// WithoutContent leaves values and words out.
	WithoutContent bool
	// UnitEvents is how many events blocks that are excluded together have at most, and GroupUnits
	// how many of those are in a file. Zero is 1024 and 128.
	UnitEvents, GroupUnits int
}

// Index keeps hashes of what is in blocks. It is safe for concurrent use; Next and Add are for one
// goroutine. The nil Index knows nothing.
type Index struct {
	opts Options
	dir  string

	mu     sync.RWMutex
	epoch  uint64   // of the sequences: see Truncate
	groups []*group // by first, without overlaps
	fresh  fresh
	failed time.Time   // when files could not be written
	bad    atomic.Bool // a file is damaged: see Next
}

// Open returns the index of the directory of a store. idOf returns the start of the id of a block
// and whether the store knows it; files of other blocks are removed. The oldest block is first.
func Open(o Options, first uint64, idOf func(seq uint64) (id uint32, known bool)) *Index {
	if o.Directory == "" {
		return nil
	}
	if o.UnitEvents == 0 {
		o.UnitEvents, o.GroupUnits = 1024, 128
	}
	x := &Index{opts: o, dir: filepath.Join(o.Directory, folder)}
	if os.MkdirAll(x.dir, 0o700) != nil {
		return nil
	}
	files, err := os.ReadDir(x.dir)
	if err != nil {
		return nil
	}
	for _, f := range files {
		path := filepath.Join(x.dir, f.Name())
		g, err := x.load(path)
		if err != nil || !g.holds(first, idOf) || len(x.groups) > 0 && g.first <= x.groups[len(x.groups)-1].last() {
			_ = os.RemoveAll(path)
			continue
		}
		x.groups = append(x.groups, g) // in the order of names, which is that of sequences
	}
	return x
}

func (x *Index) load(path string) (*group, error) {
	if filepath.Ext(path) != x.ending() {
		return nil, errDamaged // of another kind
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	g, err := readHead(file, info.Size())
	if err == nil {
		g.path = path
	}
	return g, err
}

// ending tells files with content from those without.
func (x *Index) ending() string {
	if x.opts.WithoutContent {
		return ".ids"
	}
	return ".content"
}

// holds says whether a group is of the blocks that the store has. The units of blocks that were
// evicted are of the same log as those behind them.
func (g *group) holds(first uint64, idOf func(seq uint64) (uint32, bool)) (verified bool) {
	for i := range g.ends {
		seq := g.firstOf(i)
		if seq < first {
			continue
		}
		check := uint64(0)
		for ; seq <= g.ends[i]; seq++ {
			id, known := idOf(seq)
			if !known {
				return false
			}
			check = checkOf(check, id)
		}
		if check != g.check[i] {
			return false
		}
		verified = true
	}
	return verified
}

// Close ends the index. Files stay.
func (x *Index) Close() {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.epoch++
	x.groups, x.fresh = nil, fresh{}
}

// Truncate forgets all blocks after last: the log uses their sequences for others.
func (x *Index) Truncate(last uint64) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.epoch++
	x.fresh = fresh{}
	kept := 0
	for kept < len(x.groups) && x.groups[kept].last() <= last {
		kept++
	}
	for _, g := range x.groups[kept:] {
		_ = os.Remove(g.path)
	}
	x.groups = slices.Clip(x.groups[:kept])
}

// Trim forgets what is only of blocks below first.
func (x *Index) Trim(first uint64) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	gone := 0
	for gone < len(x.groups) && x.groups[gone].last() < first {
		_ = os.Remove(x.groups[gone].path)
		gone++
	}
	x.groups = slices.Clone(x.groups[gone:])
}

// Stats say what an Index has: bytes on disk, and the number of blocks that it can exclude.
type Stats struct{ Bytes, Blocks uint64 }

// Stats counts the blocks from first on.
func (x *Index) Stats(first uint64) (s Stats) {
	if x == nil {
		return s
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	add := func(from uint64, ends []uint64) {
		if n := len(ends); n > 0 && ends[n-1] >= first {
			s.Blocks += ends[n-1] + 1 - max(from, first)
		}
	}
	for _, g := range x.groups {
		s.Bytes += uint64(g.bytes)
		add(g.first, g.ends)
	}
	add(x.fresh.first, x.fresh.ends)
	return s
}
