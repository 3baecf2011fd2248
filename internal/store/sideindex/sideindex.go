// Package sideindex says which blocks cannot contain an event id or a trace id, so that a search
// does not open them. It is made of blocks that were read, in files that one process uses: what is
// lost, damaged or not there is searched.
package sideindex

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/isbl/telemetry/internal/store/wire"
)

// folder is the folder of the files, in the directory of the store.
const folder = "sideindex"

const (
	segmentBlocks = 1 << 12 // sequences that a file is for
	maxSegments   = 256     // files, each of which is open: blocks of others are not known
)

// Index keeps a set of hashes for each block that it was given. It is safe for concurrent use. The
// nil Index knows nothing.
type Index struct {
	dir string

	mu       sync.RWMutex
	segments map[uint64]*segment // by seq / segmentBlocks; nil after Close
}

// segment is a file.
type segment struct {
	file   *os.File
	size   int64
	blocks []entry // by seq % segmentBlocks
}

// entry says where the lines of a block are. The start of the id of the block tells whether the log
// used the sequence again for another one.
type entry struct {
	line, lines uint32 // no lines: the block is not known
	id          uint32
}

// Open returns an empty index with its files in the directory of a store. It removes those of
// earlier processes. An empty directory, and one that cannot be written, has none.
func Open(dir string) *Index {
	if dir == "" {
		return nil
	}
	x := &Index{dir: filepath.Join(dir, folder), segments: map[uint64]*segment{}}
	if os.RemoveAll(x.dir) != nil || os.MkdirAll(x.dir, 0o700) != nil {
		return nil
	}
	return x
}

// Close removes the files. Calls that come later know nothing.
func (x *Index) Close() {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.segments {
		_ = s.file.Close()
	}
	x.segments = nil
	_ = os.RemoveAll(x.dir)
}

// Trim forgets files of blocks below first.
func (x *Index) Trim(first uint64) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for n, s := range x.segments {
		if n < first/segmentBlocks {
			_ = s.file.Close()
			_ = os.Remove(s.file.Name())
			delete(x.segments, n)
		}
	}
}

// Has says whether the index knows a block.
func (x *Index) Has(seq uint64, id uint32) bool {
	if x == nil {
		return true // there is nothing to add
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, _, ok := x.find(seq, id)
	return ok
}

func (x *Index) find(seq uint64, id uint32) (s *segment, e entry, ok bool) {
	s, at := x.segments[seq/segmentBlocks], int(seq%segmentBlocks)
	if s == nil || at >= len(s.blocks) {
		return nil, e, false
	}
	e = s.blocks[at]
	return s, e, e.lines > 0 && e.id == id
}

// Add takes a block with all of its records. What cannot be written is not known.
func (x *Index) Add(seq uint64, id uint32, records []wire.Record) {
	if x == nil {
		return
	}
	lines := encode(hashes(records))
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.segmentOf(seq)
	if s == nil {
		return
	}
	if _, err := s.file.WriteAt(lines, s.size); err != nil {
		return
	}
	at := int(seq % segmentBlocks)
	if short := at + 1 - len(s.blocks); short > 0 {
		s.blocks = append(s.blocks, make([]entry, short)...)
	}
	s.blocks[at] = entry{uint32(s.size / lineBytes), uint32(len(lines) / lineBytes), id}
	s.size += int64(len(lines))
}

func (x *Index) segmentOf(seq uint64) *segment {
	n := seq / segmentBlocks
	if s := x.segments[n]; s != nil || x.segments == nil {
		return s
	}
	if len(x.segments) == maxSegments {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(x.dir, strconv.FormatUint(n, 10)), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil
	}
	x.segments[n] = &segment{file: file}
	return x.segments[n]
}

// Excludes says that no event of a block matches keys. id is the start of the id of the block.
func (x *Index) Excludes(seq uint64, id uint32, keys Keys) bool {
	if x == nil || keys == nil {
		return false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	s, e, ok := x.find(seq, id)
	return ok && slices.ContainsFunc(keys, func(group []uint64) bool {
		return !slices.ContainsFunc(group, func(hash uint64) bool { return s.mayHave(e, hash) })
	})
}

// mayHave says whether a block can have a hash. A line that cannot be read may have all.
func (s *segment) mayHave(e entry, hash uint64) bool {
	var l line
	at := int64(e.line) + int64(lineOf(hash, int(e.lines)))
	_, err := s.file.ReadAt(l[:], at*lineBytes)
	return err != nil || !l.intact() || l.has(hash)
}
