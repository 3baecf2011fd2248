package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
)

// A list of ids may be long: the events of all of them are found, and no others.
func TestManyIDs(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		st, err := store.Open(t.Context(), store.Options{Directory: dir})
		require.NoError(t, err)
		defer func() { assert.NoError(t, st.Close()) }()
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for i := range 300 {
			r := records.AppendEmpty()
			r.SetEventName("a.b")
			r.SetTimestamp(1)
			r.Attributes().PutStr("log.record.uid", fmt.Sprint("id-", i))
			r.SetTraceID([16]byte{1, byte(i >> 8), byte(i)})
		}
		require.NoError(t, st.Append(t.Context(), ld))

		spec := &filter.Spec{}
		for i := range 20_000 {
			spec.EventIDs = append(spec.EventIDs, fmt.Sprint("id-", 2*i))
		}
		for i := range 200 {
			spec.TraceIDs = append(spec.TraceIDs, fmt.Sprintf("01%04x00000000000000000000000000", 3*i))
		}
		chosen, err := predicate.Compile(spec, time.Now())
		require.NoError(t, err)
		assert.Nil(t, chosen.Hints(), "strings that are looked for one after the other")
		page, err := st.Read(t.Context(), store.Query{Filter: chosen, Limit: 1000})
		require.NoError(t, err)
		require.Len(t, page.Entries, 50)
		for i := range page.Entries {
			assert.Equal(t, fmt.Sprint("id-", 6*i), page.Entries[i].Ref().EventID())
		}
	}
}
