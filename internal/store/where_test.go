package store_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
)

// strange returns records with attributes of every kind.
func strange(n int) plog.Logs {
	r := rand.New(rand.NewPCG(1, 2))
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	put := []func(pcommon.Map, string){
		func(m pcommon.Map, k string) { m.PutStr(k, []string{"", "x", "7", "a b"}[r.IntN(4)]) },
		func(m pcommon.Map, k string) { m.PutInt(k, []int64{0, 7, -7, math.MaxInt64}[r.IntN(4)]) },
		func(m pcommon.Map, k string) { m.PutDouble(k, []float64{0, 7, 1.5, math.NaN()}[r.IntN(4)]) },
		func(m pcommon.Map, k string) { m.PutBool(k, r.IntN(2) == 0) },
		func(m pcommon.Map, k string) { m.PutEmptyBytes(k).FromRaw([]byte("x")) },
		func(m pcommon.Map, k string) { m.PutEmpty(k) },
		func(m pcommon.Map, k string) { m.PutEmptyMap(k).PutStr("in", "x") },
		func(m pcommon.Map, k string) { m.PutEmptySlice(k).AppendEmpty().SetInt(7) },
		func(pcommon.Map, string) {},
	}
	for i := range n {
		record := records.AppendEmpty()
		record.SetEventName([]string{"user.login", "metric.cpu"}[r.IntN(2)])
		record.SetTimestamp(pcommon.Timestamp(1 + r.IntN(5)))
		record.SetObservedTimestamp(pcommon.Timestamp(1 + r.IntN(5)))
		record.SetSeverityNumber(plog.SeverityNumber(r.IntN(25)))
		record.SetSeverityText([]string{"", "WARN"}[r.IntN(2)])
		record.SetTraceID([16]byte{byte(r.IntN(2))})
		record.SetSpanID([8]byte{byte(r.IntN(2))})
		record.SetFlags(plog.LogRecordFlags(r.IntN(2)))
		record.SetDroppedAttributesCount(uint32(r.IntN(2)))
		record.Body().SetStr("a body")
		record.Attributes().PutStr(event.AttrUID, fmt.Sprintf("id-%d", i))
		for _, k := range []string{"a", "b", "c"} {
			put[r.IntN(len(put))](record.Attributes(), k)
		}
	}
	return ld
}

// A condition is decided on the encoded record, as far as it allows, as on the decoded one.
func TestWhereOnEncodedRecords(t *testing.T) {
	const n = 2000
	ld := strange(n)
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), ld))
	for _, where := range []string{
		`attributes["a"] == 7`, `attributes["a"] > -1`, `attributes["a"] == "x"`, `attributes["a"] != nil`, `attributes["a"] == nil`,
		`attributes["a"] == true or attributes["b"] < 1.5`, `not (attributes["a"] >= 7 and attributes["c"] == "")`,
		`attributes["a"]["in"] == "x"`, `IsMatch(attributes["b"], "^a")`, `IsString(attributes["a"]) and Len(attributes["a"]) > 0`,
		`attributes["a"] == 0x78`, `IsMap(attributes["a"]) or IsList(attributes["b"])`,
		`severity_number >= SEVERITY_NUMBER_WARN and severity_text == "WARN"`, `log.event_name == "user.login"`,
		`time_unix_nano > 2 and observed_time_unix_nano < 4`, `flags == 1 and dropped_attributes_count == 0`,
		`trace_id.string == "01000000000000000000000000000000"`, `span_id.string != "0100000000000000"`,
		`body == "a body" and attributes["a"] == 7`, `attributes["` + event.AttrUID + `"] == "id-7"`, `attributes["missing"] == nil`,
	} {
		for _, ids := range [][]string{nil, {"id-3", "id-7"}} {
			p, err := predicate.Compile(&filter.Spec{Where: where, EventIDs: ids}, time.Now())
			require.NoError(t, err, where)
			want := []string{}
			for ref := range eventlog.All(ld) {
				if ok, err := p.MatchesContent(t.Context(), ref); err == nil && ok {
					want = append(want, ref.EventID())
				}
			}
			assert.Equal(t, want, idsOf(t, s, store.Query{Filter: p, Limit: n}), where)
		}
	}
}
