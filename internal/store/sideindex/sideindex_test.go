package sideindex_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store/sideindex"
	"github.com/isbl/telemetry/internal/store/wire"
)

const perBlock = 500

func eventID(n int) string { return fmt.Sprintf("id-%d", n) }

func traceID(n int) pcommon.TraceID { return pcommon.TraceID{1, byte(n), byte(n >> 8), byte(n >> 16)} }

// records are those of events numbered from first.
func records(t *testing.T, first int) []wire.Record {
	t.Helper()
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for n := first; n < first+perBlock; n++ {
		r := list.AppendEmpty()
		r.Attributes().PutStr(event.AttrUID, eventID(n))
		r.SetTraceID(traceID(n))
	}
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	out, ok := wire.Records(raw, perBlock)
	require.True(t, ok)
	return out
}

func ofEvent(n int) sideindex.Keys {
	return sideindex.NewKeys[pcommon.TraceID]([]string{eventID(n)}, nil)
}

func ofTrace(n int) sideindex.Keys {
	return sideindex.NewKeys(nil, []pcommon.TraceID{traceID(n)})
}

func filled(t *testing.T, dir string) *sideindex.Index {
	t.Helper()
	x := sideindex.Open(dir)
	t.Cleanup(x.Close)
	for seq := range uint64(20) {
		x.Add(seq, 7, records(t, int(seq)*perBlock))
	}
	return x
}

// hides is whether the index excludes a block with an id that it contains.
func hides(x *sideindex.Index) bool {
	for n := range 20 * perBlock {
		seq := uint64(n / perBlock)
		if x.Excludes(seq, 7, ofEvent(n)) || x.Excludes(seq, 7, ofTrace(n)) {
			return true
		}
	}
	return false
}

func TestBlocksWithoutAnIDAreExcluded(t *testing.T) {
	x := filled(t, t.TempDir())
	assert.False(t, hides(x))
	wrong := 0
	for n := range 10_000 { // the hashes are the same in every run
		seq := uint64(n % 20)
		if !x.Excludes(seq, 7, ofEvent(1_000_000+n)) {
			wrong++
		}
		if !x.Excludes(seq, 7, ofTrace(1_000_000+n)) {
			wrong++
		}
	}
	assert.LessOrEqual(t, wrong, 6, "of 20 000")
	assert.False(t, x.Excludes(3, 8, ofEvent(1_000_000)), "another block at the sequence")
	assert.False(t, x.Excludes(30, 7, ofEvent(1_000_000)), "a block that it was not given")
	assert.False(t, x.Excludes(3, 7, nil), "a filter without ids")
	both := sideindex.NewKeys([]string{eventID(3 * perBlock)}, []pcommon.TraceID{traceID(1_000_000)})
	assert.True(t, x.Excludes(3, 7, both), "one of two groups is not there")
}

func TestDamageHidesNothing(t *testing.T) {
	dir := t.TempDir()
	x := filled(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "sideindex", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		for i := 0; i < len(raw); i += 64 {
			raw[i+i/64%64] ^= 1 << (i / 64 % 8)
		}
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
	assert.False(t, hides(x))
	for _, path := range files {
		require.NoError(t, os.Truncate(path, 0))
	}
	assert.False(t, hides(x))
}

func TestFilesAreTrimmedAndRemoved(t *testing.T) {
	dir := t.TempDir()
	x := sideindex.Open(dir)
	x.Add(1, 7, records(t, 0))
	x.Add(5000, 7, records(t, perBlock))
	x.Trim(5000)
	assert.False(t, x.Has(1, 7))
	assert.True(t, x.Has(5000, 7))
	x.Close()
	assert.NoDirExists(t, filepath.Join(dir, "sideindex"))
	x.Add(5001, 7, records(t, 0))
	assert.False(t, x.Excludes(5001, 7, ofEvent(1_000_000)), "closed")
}

func TestWithoutADirectoryNothingIsKnown(t *testing.T) {
	x := sideindex.Open("")
	x.Add(1, 7, records(t, 0))
	x.Trim(9)
	assert.False(t, x.Excludes(1, 7, ofEvent(1_000_000)))
	x.Close()
}
