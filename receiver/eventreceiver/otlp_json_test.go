package eventreceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry/internal/budget"
)

// What JavaScript makes of NaN, and a record that nobody can read: each costs at most itself.
func TestTolerantJSON(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s, refused := serveWithin(t, budget.New(64<<20), sink, nil)
	const good = `{"eventName":"a.b","attributes":[{"key":"n","value":{"doubleValue":null}},{"key":"m","value":{"intValue":1e3}}]}`
	const bad = `{"eventName":"c.d","body":{"intValue":"many"}}`
	request := func(records string) string {
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + records + `]}]}]}`
	}

	partly := func(contentType, body string) plogotlp.ExportPartialSuccess {
		resp, text := s.post(t, contentType, "", []byte(body))
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
		answer := plogotlp.NewExportResponse()
		require.NoError(t, answer.UnmarshalJSON(text))
		return answer.PartialSuccess()
	}
	partial := partly(jsonType, request(good+","+bad+","+good))
	assert.EqualValues(t, 1, partial.RejectedLogRecords())
	assert.Equal(t, `1 of 3 records refused, the other 2 were taken: record 1 (event type "c.d", id ""): malformed: `+
		`/resourceLogs/0/scopeLogs/0/logRecords/1/body/intValue must be a whole number of 64 bits, not "many"`, partial.ErrorMessage())
	require.Equal(t, 2, sink.LogRecordCount())
	attributes := recordAt(sink.AllLogs()[0], 1).Attributes()
	n, ok := attributes.Get("n")
	require.True(t, ok, "the attribute is there, and empty")
	assert.Equal(t, pcommon.ValueTypeEmpty, n.Type())
	m, _ := attributes.Get("m")
	assert.EqualValues(t, 1000, m.Int())

	sink.Reset()
	resp, text := s.post(t, jsonType, "", []byte(request(bad)))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, string(text), "1 of 1 records refused: record 0")

	partial = partly(typeLines, request(good)+"\n"+request(bad+","+good)+"\n")
	assert.Contains(t, partial.ErrorMessage(), "1 of 3 records refused, the other 2 were taken: record 1")
	assert.Equal(t, 2, sink.LogRecordCount())
	assert.Equal(t, map[string]uint64{"malformed": 3}, refused())
}
