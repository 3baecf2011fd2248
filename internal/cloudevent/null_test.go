package cloudevent

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/event"
)

// One of data and data_base64 that is null is as good as absent, in either order.
func TestNullBesideData(t *testing.T) {
	const head = `{"specversion":"1.0","id":"7","source":"/s","type":"a.b"`
	for members, want := range map[string]map[string]any{
		`,"data":null,"data_base64":"AAE="`:  {"body": []byte{0, 1}},
		`,"data_base64":"AAE=","data":null`:  {"body": []byte{0, 1}},
		`,"data":{"n":1},"data_base64":null`: {"n": int64(1)},
		`,"data_base64":null,"data":{"n":1}`: {"n": int64(1)},
	} {
		assert.Equal(t, want, structured(t, head+members+"}").Data, members)
	}
}

// The number that follows from severitytext does not come out as an extension that never came in.
func TestSeverityNumberOfAText(t *testing.T) {
	const text = `{"specversion":"1.0","id":"7","source":"/s","type":"a.b","severitytext":"ERROR"`
	e := structured(t, text+"}")
	assert.Equal(t, int64(17), e.Metadata[event.MetaSeverityNumber])
	assert.NotContains(t, string(AppendJSON(nil, &e, "")), extSeverityNumber)
	e = structured(t, text+`,"severitynumber":18}`)
	assert.Equal(t, int64(18), e.Metadata[event.MetaSeverityNumber])
	assert.Contains(t, string(AppendJSON(nil, &e, "")), `"severitynumber":18`)
}
