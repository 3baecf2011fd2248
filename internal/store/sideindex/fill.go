package sideindex

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/store/wire"
)

// fresh are units that are no group yet, in memory.
type fresh struct {
	first  uint64 // sequence of the first block
	ends   []uint64
	units  []*unit // complete
	open   *unit   // under way; nil without one
	hasher *hasher
}

// Place names the next block that the index has to be given.
type Place struct {
	Seq uint64
	// Until is where it ends: the sequence before the next block that is known.
	Until uint64
	epoch uint64
}

// Next returns the place of the first block that is not known, from first to last; ok is false
// where there is none.
func (x *Index) Next(first, last uint64) (p Place, ok bool) {
	if x == nil {
		return p, false
	}
	if x.bad.Swap(false) {
		x.dropDamaged()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for time.Since(x.failed) > patience {
		p = x.place(first, last)
		if p.Seq <= p.Until || p.Until == last {
			return p, p.Seq <= p.Until
		}
		x.seal() // up to a group that is there: what lies before it becomes one too
	}
	return p, false
}

// place returns the place of the first block that is not known. Where it is not from Seq to Until,
// all blocks up to Until are. mu is held.
func (x *Index) place(first, last uint64) (p Place) {
	p = Place{Seq: max(first, 1), Until: last, epoch: x.epoch}
	f := &x.fresh
	for _, g := range x.groups {
		if g.last() < p.Seq {
			continue
		}
		if g.first > p.Seq {
			p.Until = min(p.Until, g.first-1)
			break
		}
		p.Seq = g.last() + 1
	}
	if f.hasher == nil || p.Seq < f.first || p.Seq > f.next() { // a hole before it, or evicted behind it
		x.fresh = fresh{first: p.Seq, hasher: newHasher(!x.opts.WithoutContent)}
	}
	p.Seq = x.fresh.next()
	return p
}

// next is the sequence of the block that f is given next.
func (f *fresh) next() uint64 {
	if f.open != nil {
		return f.open.last + 1
	}
	if n := len(f.ends); n > 0 {
		return f.ends[n-1] + 1
	}
	return f.first
}

// dropDamaged forgets groups whose files are not as they were written.
func (x *Index) dropDamaged() {
	x.mu.RLock()
	groups := x.groups
	x.mu.RUnlock()
	for _, g := range groups {
		if x.whole(g) {
			continue
		}
		x.mu.Lock()
		x.groups = slices.DeleteFunc(slices.Clone(x.groups), func(other *group) bool { return other == g })
		_ = os.Remove(g.path)
		x.mu.Unlock()
	}
}

// whole says whether all lines of a group are intact.
func (x *Index) whole(g *group) bool {
	raw, err := os.ReadFile(g.path)
	if err != nil || int64(len(raw)) != g.bytes {
		return false
	}
	for at := headBytes(len(g.ends)); at < g.bytes; at += lineBytes {
		if !line(raw[at : at+lineBytes]).intact() {
			return false
		}
	}
	return true
}

// Add takes the block at a place with all of its records. A block without records cannot be read,
// so that it is never excluded. stored is about how many bytes it has as it is stored.
func (x *Index) Add(p Place, id uint32, records []wire.Record, stored int64) {
	x.mu.RLock()
	f := x.fresh
	stale := p.epoch != x.epoch
	x.mu.RUnlock()
	if stale || f.hasher == nil || p.Seq != f.next() {
		return
	}
	u := f.open
	if u != nil && u.events+len(records) > x.opts.UnitEvents {
		x.complete(p, u)
		u = nil
	}
	if u == nil {
		u = &unit{}
		f.hasher.begin(u)
		u.sets[values].all, u.sets[words].all = x.opts.WithoutContent, x.opts.WithoutContent
	}
	for i := range u.sets {
		u.sets[i].all = u.sets[i].all || len(records) == 0
	}
	f.hasher.hash(records)
	u.last, u.check = p.Seq, checkOf(u.check, id)
	u.events, u.bytes = u.events+len(records), u.bytes+stored
	if u.events >= x.opts.UnitEvents || p.Seq == p.Until && x.reachesGroup(p) {
		x.complete(p, u)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if p.epoch == x.epoch {
		x.fresh.open = u
	}
}

// reachesGroup says whether a group begins behind a place.
func (x *Index) reachesGroup(p Place) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.ContainsFunc(x.groups, func(g *group) bool { return g.first == p.Seq+1 })
}

// complete makes a unit one that excludes, and a group of many.
func (x *Index) complete(p Place, u *unit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p.epoch != x.epoch {
		return
	}
	f := &x.fresh
	f.open = nil
	f.units, f.ends = append(f.units, u), append(f.ends, u.last)
	if len(f.units) == x.opts.GroupUnits {
		x.seal()
	}
}

// seal writes the units that are complete as a group, and begins anew behind them. Where they
// cannot be written, they are given up: the disk may be full. mu is held.
func (x *Index) seal() {
	f := &x.fresh
	if len(f.units) == 0 {
		return
	}
	raw := encode(f.first, f.units)
	name := filepath.Join(x.dir, sequenceName(f.first)+x.ending())
	if g, err := x.write(name, raw); err != nil {
		x.failed = time.Now()
	} else {
		at := 0
		for at < len(x.groups) && x.groups[at].first < g.first {
			at++
		}
		x.groups = slices.Insert(slices.Clone(x.groups), at, g)
	}
	x.fresh = fresh{first: f.ends[len(f.ends)-1] + 1, hasher: f.hasher, open: f.open}
}

func (x *Index) write(name string, raw []byte) (*group, error) {
	if err := os.MkdirAll(x.dir, 0o700); err != nil { // somebody removed it
		return nil, err
	}
	if err := os.WriteFile(name+unfinished, raw, 0o600); err != nil {
		_ = os.Remove(name + unfinished)
		return nil, err
	}
	if err := os.Rename(name+unfinished, name); err != nil {
		return nil, err
	}
	return x.load(name)
}

// sequenceName sorts as a sequence does.
func sequenceName(seq uint64) string {
	s := strconv.FormatUint(seq, 16)
	return strings.Repeat("0", 16-len(s)) + s
}
