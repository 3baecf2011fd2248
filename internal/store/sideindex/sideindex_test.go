package sideindex_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store/sideindex"
	"github.com/isbl/telemetry/internal/store/wire"
)

const (
	perBlock = 100
	blocks   = 20
	stored   = 100 << 10 // bytes of a block: there is room for all
)

func eventID(n int) string { return fmt.Sprintf("id-%d", n) }

func traceID(n int) pcommon.TraceID { return pcommon.TraceID{1, byte(n), byte(n >> 8), byte(n >> 16)} }

// records are those of a block.
func records(t *testing.T, seq uint64) []wire.Record {
	t.Helper()
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for n := int(seq) * perBlock; n < int(seq+1)*perBlock; n++ {
		r := list.AppendEmpty()
		r.Attributes().PutStr(event.AttrUID, eventID(n))
		r.Attributes().PutInt("n", int64(n))
		r.Body().SetStr(fmt.Sprintf("Event number%d", n))
		r.SetTraceID(traceID(n))
	}
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	out, ok := wire.Records(raw, perBlock)
	require.True(t, ok)
	return out
}

// questions are about an event, one for each kind of key.
func questions(n int) (all []sideindex.Keys) {
	all = make([]sideindex.Keys, 4)
	all[0].AddEventIDs([]string{eventID(n)})
	sideindex.AddTraceIDs(&all[1], []pcommon.TraceID{traceID(n)})
	all[2].AddValue("n", []string{fmt.Sprint(n)}, []float64{float64(n)})
	all[3].AddWord(fmt.Sprintf("number%d", n))
	return all
}

// idOf is the start of the id of a block: the store has those from 1 to blocks.
func idOf(seq uint64) (uint32, bool) { return uint32(seq) * 7, seq >= 1 && seq <= blocks }

func open(t *testing.T, o sideindex.Options) *sideindex.Index {
	t.Helper()
	o.UnitEvents, o.GroupUnits = 2*perBlock, 3
	x := sideindex.Open(o, 1, idOf)
	t.Cleanup(x.Close)
	return x
}

// fill gives an index all blocks that it has not, and returns how many these were.
func fill(t *testing.T, x *sideindex.Index) (added int) {
	t.Helper()
	for {
		at, ok := x.Next(1, blocks)
		if !ok {
			return added
		}
		id, _ := idOf(at.Seq)
		x.Add(at, id, records(t, at.Seq), stored)
		added++
	}
}

// hides is whether an index excludes a block with something that it contains.
func hides(x *sideindex.Index) bool {
	for n := perBlock; n < (blocks+1)*perBlock; n += 9 {
		for _, keys := range questions(n) {
			lookup := x.Lookup(keys)
			if lookup.Excludes(uint64(n / perBlock)) {
				return true
			}
		}
	}
	return false
}

func TestBlocksWithoutAKeyAreExcluded(t *testing.T) {
	x := open(t, sideindex.Options{Directory: t.TempDir()})
	assert.Equal(t, blocks, fill(t, x))
	assert.False(t, hides(x))
	assert.EqualValues(t, blocks, x.Stats(1).Blocks)
	assert.EqualValues(t, blocks-4, x.Stats(5).Blocks)
	assert.NotZero(t, x.Stats(1).Bytes)
	wrong := [4]int{}
	for n := range 2000 { // the hashes are the same in every run
		for kind, keys := range questions(1_000_000 + n) {
			lookup := x.Lookup(keys)
			if !lookup.Excludes(uint64(1 + n%blocks)) {
				wrong[kind]++
			}
		}
	}
	for kind, most := range [4]int{1, 1, 10, 10} {
		assert.LessOrEqual(t, wrong[kind], most, "of 2000, kind %d", kind)
	}
	lookup := x.Lookup(nil)
	assert.False(t, lookup.Excludes(3), "a filter without keys")
	lookup = x.Lookup(questions(1_000_000)[0])
	assert.False(t, lookup.Excludes(blocks+1), "a block that it was not given")
	assert.True(t, lookup.ExcludesAll(1, blocks))
	assert.False(t, lookup.ExcludesAll(1, blocks+1))
	both := slices.Concat(questions(3 * perBlock)[0], questions(1_000_000)[1])
	lookup = x.Lookup(both)
	assert.True(t, lookup.Excludes(3), "one of two groups is not there")
}

func groups(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "sideindex", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// TestDamageHidesNothing damages each line of the files, their heads and their ends, while they are
// open and before they are opened.
func TestDamageHidesNothing(t *testing.T) {
	dir := t.TempDir()
	x := open(t, sideindex.Options{Directory: dir})
	fill(t, x)
	files := groups(t, dir)
	for round := range 4 {
		for _, path := range files {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			for i := 0; i < len(raw); i += 64 {
				raw[i+(i/64+9*round)%64] ^= 1 << (i / 64 % 8)
			}
			require.NoError(t, os.WriteFile(path, raw, 0o600))
		}
		require.False(t, hides(x))
		require.False(t, hides(open(t, sideindex.Options{Directory: dir})))
		fill(t, x)
		require.False(t, hides(x))
		require.Equal(t, files, groups(t, dir), "they are made again")
	}
}

// TestStopsWhileWritingHideNothing cuts the files after every part of them, and leaves what was not
// finished.
func TestStopsWhileWritingHideNothing(t *testing.T) {
	dir := t.TempDir()
	x := open(t, sideindex.Options{Directory: dir})
	fill(t, x)
	x.Close()
	path := groups(t, dir)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, at := range []int{0, 1, 8, 31, 32, 47, 80, 83, 84, 127, 128, 129, 192, 500, len(whole) / 2, len(whole) - 1} {
		require.NoError(t, os.WriteFile(path+".new", whole[:at], 0o600))
		require.NoError(t, os.WriteFile(path, whole[:at], 0o600))
		require.False(t, hides(open(t, sideindex.Options{Directory: dir})), "cut at %d", at)
		require.NoFileExists(t, path)
		require.NoFileExists(t, path+".new")
		zeros := make([]byte, len(whole)) // a power cut keeps the size
		copy(zeros, whole[:at])
		require.NoError(t, os.WriteFile(path, zeros, 0o600))
		require.False(t, hides(open(t, sideindex.Options{Directory: dir})), "zeros from %d", at)
	}
	y := open(t, sideindex.Options{Directory: dir})
	fill(t, y)
	assert.False(t, hides(y))
	assert.EqualValues(t, blocks, y.Stats(1).Blocks)
}

func TestFilesAreOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	x := open(t, sideindex.Options{Directory: dir})
	fill(t, x)
	x.Close()
	y := open(t, sideindex.Options{Directory: dir})
	assert.EqualValues(t, 18, y.Stats(1).Blocks, "groups of three units of two blocks")
	assert.False(t, hides(y))
	assert.Equal(t, 2, fill(t, y), "the rest is made again")
	y.Trim(8)
	assert.Len(t, groups(t, dir), 2)
	assert.EqualValues(t, 13, y.Stats(8).Blocks)
	y.Close()

	other := func(seq uint64) (uint32, bool) { // the log lost the end, and used the sequences again
		if seq > 15 {
			return uint32(seq), true
		}
		return idOf(seq)
	}
	z := sideindex.Open(sideindex.Options{Directory: dir}, 8, other)
	assert.EqualValues(t, 5, z.Stats(8).Blocks, "the second group only")
	assert.Len(t, groups(t, dir), 1)
	z.Close()
}

func TestBlocksThatAreReplacedAreForgotten(t *testing.T) {
	x := open(t, sideindex.Options{Directory: t.TempDir()})
	late, ok := x.Next(1, blocks)
	require.True(t, ok)
	fill(t, x)
	x.Truncate(10)
	assert.EqualValues(t, 6, x.Stats(1).Blocks)
	x.Add(late, 7, records(t, 40), stored) // of before
	lookup := x.Lookup(questions(1_000_000)[0])
	assert.True(t, lookup.Excludes(6))
	assert.False(t, lookup.Excludes(7))
	assert.Equal(t, 14, fill(t, x))
	assert.False(t, hides(x))
}

func TestWithoutContent(t *testing.T) {
	dir := t.TempDir()
	x := open(t, sideindex.Options{Directory: dir, WithoutContent: true})
	fill(t, x)
	assert.False(t, hides(x))
	less := x.Stats(1).Bytes
	for kind, keys := range questions(1_000_000) {
		lookup := x.Lookup(keys)
		assert.Equal(t, kind < 2, lookup.Excludes(3), "ids only")
	}
	x.Close()
	x = open(t, sideindex.Options{Directory: dir})
	assert.Zero(t, x.Stats(1).Blocks, "made again with content")
	fill(t, x)
	assert.False(t, hides(x))
	assert.Greater(t, x.Stats(1).Bytes, less)
}

// TestFilesTakeTheirShare holds that values and words take what is left of a quarter of the blocks,
// and that a block with more of them than are kept is never hidden.
func TestFilesTakeTheirShare(t *testing.T) {
	x := open(t, sideindex.Options{Directory: t.TempDir()})
	const small = 3 << 10
	for {
		at, ok := x.Next(1, blocks)
		if !ok {
			break
		}
		id, _ := idOf(at.Seq)
		x.Add(at, id, records(t, at.Seq), small)
	}
	assert.False(t, hides(x))
	assert.LessOrEqual(t, x.Stats(1).Bytes, uint64(blocks*(small/4+2*perBlock*32/8)), "ids always fit")
}

func TestWithoutADirectoryNothingIsKnown(t *testing.T) {
	x := sideindex.Open(sideindex.Options{}, 1, idOf)
	_, ok := x.Next(1, blocks)
	assert.False(t, ok)
	x.Trim(9)
	x.Truncate(9)
	lookup := x.Lookup(questions(1)[0])
	assert.False(t, lookup.Excludes(1))
	assert.Zero(t, x.Stats(1))
	x.Close()
}
