package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/store"
)

// TestSearchesByIDFindTheSame compares searches for ids with a naive reference, before, while and
// after the side index knows the blocks, is damaged, is deleted and is gone.
func TestSearchesByIDFindTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(20, 2))
	opts := store.Options{Directory: t.TempDir()}
	s, err := store.Open(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })

	byID, byTrace := map[string][]string{}, map[pcommon.TraceID][]string{}
	awkward := []string{"a,b", "ümlaut ☃", "%2A", "log.record.uid", `"`}
	events := 0
	fill := func() {
		for range 30 {
			ld := logs("user.login", events, 1+random.IntN(20))
			list := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			for i := range list.Len() {
				r := list.At(i)
				id := fmt.Sprintf("%s-%d", awkward[random.IntN(len(awkward))], random.IntN(300))
				trace := pcommon.TraceID{byte(random.IntN(40))} // zero is none
				r.Attributes().PutStr(event.AttrUID, id)
				r.SetTraceID(trace)
				byID[id] = append(byID[id], id)
				byTrace[trace] = append(byTrace[trace], id)
			}
			events += list.Len()
			require.NoError(t, s.Append(t.Context(), ld))
		}
	}
	check := func(when string) {
		for range 25 {
			id := fmt.Sprintf("%s-%d", awkward[random.IntN(len(awkward))], random.IntN(310))
			trace := pcommon.TraceID{byte(1 + random.IntN(42))}
			for spec, want := range map[*filter.Spec][]string{
				{EventIDs: []string{id}}:             byID[id],
				{TraceIDs: []string{trace.String()}}: byTrace[trace],
				{EventIDs: []string{id}, TraceIDs: []string{trace.String()}}: slices.DeleteFunc(
					slices.Clone(byTrace[trace]), func(of string) bool { return of != id }),
			} {
				q := store.Query{Filter: chosen(t, *spec), Limit: 7}
				got, gaps := readAll(t, s, q)
				require.Empty(t, gaps)
				require.True(t, slices.Equal(want, got), "%s: %v: %v, not %v", when, spec, got, want)
				q.Descending = true
				got, _ = readAll(t, s, q)
				require.True(t, slices.Equal(reversed(want), got), "%s, descending: %v: %v, not %v", when, spec, got, want)
			}
		}
	}
	fill()
	check("new")
	require.NoError(t, s.Close())
	s, err = store.Open(t.Context(), opts)
	require.NoError(t, err)
	check("opened again")
	files, err := filepath.Glob(filepath.Join(opts.Directory, "sideindex", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "the searches made the side index")
	check("known")
	fill()
	check("more events")
	for _, path := range files {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		for range 50 {
			raw[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		}
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
	check("damaged")
	require.NoError(t, os.RemoveAll(filepath.Join(opts.Directory, "sideindex")))
	check("deleted")
	require.NoError(t, s.Close())
	assert.NoDirExists(t, filepath.Join(opts.Directory, "sideindex"))
	s, err = store.Open(t.Context(), opts)
	require.NoError(t, err)
	check("opened after it was deleted")
}
