package otlpjson

import (
	"fmt"
	"math"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// request is a request of one record with these members.
func request(members string) string {
	return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{` + members + `}]}]}]}`
}

// decodeOne decodes a request of one record.
func decodeOne(t *testing.T, text string) plog.LogRecord {
	t.Helper()
	requireAgreement(t, []byte(text))
	ld, refused, err := Decode([]byte(text))
	require.NoError(t, err, text)
	require.Empty(t, refused, text)
	require.Equal(t, 1, ld.LogRecordCount())
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// The rules of ProtoJSON for values.
func TestValues(t *testing.T) {
	for value, want := range map[string]any{
		`{"stringValue":"a"}`:                nil,
		`null`:                               nil,
		`{}`:                                 nil,
		`{"stringValue":null}`:               "",
		`{"string_value":"snake"}`:           "snake",
		`{"stringValue":5.50}`:               "5.50",
		`{"stringValue":"\ud83d"}`:           "\uFFFD",
		`{"boolValue":true}`:                 true,
		`{"boolValue":"false"}`:              false,
		`{"boolValue":null}`:                 nil,
		`{"intValue":5}`:                     int64(5),
		`{"intValue":"-5"}`:                  int64(-5),
		`{"intValue":1.0}`:                   int64(1),
		`{"intValue":1e3}`:                   int64(1000),
		`{"intValue":"1.50E+2"}`:             int64(150),
		`{"intValue":-0.0e99999}`:            int64(0),
		`{"intValue":9007199254740993.0}`:    int64(9007199254740993),
		`{"intValue":9223372036854775807}`:   int64(math.MaxInt64),
		`{"int_value":-9223372036854775808}`: int64(math.MinInt64),
		`{"intValue":null}`:                  nil,
		`{"doubleValue":1}`:                  1.0,
		`{"doubleValue":"1.5"}`:              1.5,
		`{"doubleValue":"Infinity"}`:         math.Inf(1),
		`{"doubleValue":"-Infinity"}`:        math.Inf(-1),
		`{"doubleValue":null}`:               nil,
		`{"double_value":1e21}`:              1e21,
		`{"bytesValue":"+/8="}`:              []byte{0xfb, 0xff},
		`{"bytesValue":"-_8"}`:               []byte{0xfb, 0xff},
		`{"bytes_value":"+/8"}`:              []byte{0xfb, 0xff},
		`{"bytesValue":""}`:                  []byte{},
		`{"bytesValue":null}`:                nil,
		`{"arrayValue":{"values":[{"intValue":"1"},null,{"doubleValue":null}]}}`:          []any{int64(1), nil, nil},
		`{"array_value":{"values":null}}`:                                                 []any{},
		`{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}},{"key":"b"}]}}`: map[string]any{"a": true, "b": nil},
		`{"kvlist_value":null}`:                map[string]any{},
		`{"unknown":[{"a":1}],"intValue":"7"}`: int64(7),
	} {
		if value == `{"stringValue":"a"}` {
			want = "a"
		}
		record := decodeOne(t, request(`"body":`+value+`,"attributes":[{"value":`+value+`,"key":"k"}]`))
		got := record.Body().AsRaw()
		if b, ok := got.([]byte); ok && len(b) == 0 {
			got = []byte{}
		}
		assert.Equal(t, want, got, value)
		v, ok := record.Attributes().Get("k")
		require.True(t, ok, value)
		assert.Equal(t, record.Body().Type(), v.Type(), value)
	}
	assert.True(t, math.IsNaN(decodeOne(t, request(`"body":{"doubleValue":"NaN"}`)).Body().Double()))
}

// The fields of a record, in each way that they may be written.
func TestFields(t *testing.T) {
	for _, members := range []string{
		`"timeUnixNano":"1767323045000000006","observedTimeUnixNano":"1767323045000000007","severityNumber":17,"severityText":"E",` +
			`"droppedAttributesCount":3,"flags":1,"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"B7ad6b7169203331","eventName":"a.b"`,
		`"time_unix_nano":1767323045000000006,"observed_time_unix_nano":1767323045000000007.0,"severity_number":"SEVERITY_NUMBER_ERROR","severity_text":"E",` +
			`"dropped_attributes_count":"3","flags":1.0,"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","event_name":"a.b","x":null`,
		`"timeUnixNano":1767323045000000006,"observedTimeUnixNano":"1767323045000000007","severityNumber":"17","severityText":"E",` +
			`"droppedAttributesCount":3e0,"flags":"1","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","eventName":"a.b","body":null,"attributes":null`,
	} {
		r := decodeOne(t, request(members))
		assert.Equal(t, "1767323045000000006 1767323045000000007 Error E 3 1 0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 a.b",
			fmt.Sprintf("%d %d %s %s %d %d %s %s %s", r.Timestamp(), r.ObservedTimestamp(), r.SeverityNumber(), r.SeverityText(),
				r.DroppedAttributesCount(), r.Flags(), r.TraceID(), r.SpanID(), r.EventName()), members)
	}
	r := decodeOne(t, request(`"timeUnixNano":null,"observedTimeUnixNano":null,"severityNumber":null,"severityText":null,"body":null,"attributes":null,`+
		`"droppedAttributesCount":null,"flags":null,"traceId":null,"spanId":"","eventName":null`))
	assert.Equal(t, plog.NewLogRecord(), r)
	assert.Equal(t, plog.SeverityNumberUnspecified, decodeOne(t, request(`"severityNumber":"SEVERITY_NUMBER_UNSPECIFIED"`)).SeverityNumber())

	ld, refused, err := Decode([]byte(`{"resource_logs":[null,{"schema_url":"r","scope_logs":[{"schema_url":"s","log_records":[{}],` +
		`"scope":{"name":"n","version":"v","dropped_attributes_count":"1","attributes":[{"key":"a","value":{"int_value":1.0}}]}}],` +
		`"resource":{"dropped_attributes_count":2.0,"attributes":[{"key":"b","value":{"double_value":null}}],` +
		`"entity_refs":[{"type":"t","schema_url":"u","id_keys":["b"],"description_keys":null}]}}],"more":1}`))
	require.NoError(t, err)
	require.Empty(t, refused)
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	assert.JSONEq(t, `{"resourceLogs":[{"resource":{}},{"schemaUrl":"r","resource":{"attributes":[{"key":"b","value":{}}],"droppedAttributesCount":2,
		"entityRefs":[{"schemaUrl":"u","type":"t","idKeys":["b"]}]},"scopeLogs":[{"schemaUrl":"s",
		"scope":{"name":"n","version":"v","droppedAttributesCount":1,"attributes":[{"key":"a","value":{"intValue":"1"}}]},
		"logRecords":[{"body":{}}]}]}]}`, string(text))
}

// What is wrong costs its record, and the place is named.
func TestRefused(t *testing.T) {
	for members, detail := range map[string]string{
		`"body":{"intValue":"x"}`:                                "/body/intValue must be a whole number",
		`"body":{"intValue":1.5}`:                                "/body/intValue must be",
		`"body":{"intValue":9223372036854775808}`:                "/body/intValue must be",
		`"body":{"intValue":1e-400}`:                             "/body/intValue must be",
		`"body":{"intValue":"1e999999999"}`:                      "/body/intValue must be",
		`"body":{"doubleValue":1e400}`:                           "/body/doubleValue must be",
		`"body":{"boolValue":1}`:                                 "/body/boolValue must be true or false",
		`"body":{"bytesValue":"?"}`:                              "/body/bytesValue must be base64",
		`"body":"text"`:                                          "/body must be an object",
		`"attributes":{"a":1}`:                                   "/attributes must be a list",
		`"attributes":[{"key":"a","value":{"stringValue":[1]}}]`: "/attributes/0/value/stringValue must be no object and no list",
		`"traceId":"12"`:                                         "/traceId must be 32 hexadecimal digits",
		`"flags":-1`:                                             "/flags must be a whole number of 32 bits",
		`"flags":4294967296`:                                     "/flags must be",
		`"timeUnixNano":"yesterday"`:                             "/timeUnixNano must be",
		`"severityNumber":"LOUD"`:                                "/severityNumber must be a SeverityNumber",
		`"eventName":true`:                                       "/eventName must be a string",
	} {
		text := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{` + members + `},{"eventName":"c"}]}]}]}`
		ld, refused, err := Decode([]byte(text))
		require.NoError(t, err, members)
		require.Len(t, refused, 1, members)
		assert.Equal(t, 1, refused[0].Index)
		assert.Equal(t, "malformed", refused[0].Reason)
		assert.Contains(t, refused[0].Detail, "/resourceLogs/0/scopeLogs/0/logRecords/1"+detail)
		assert.Equal(t, 2, ld.LogRecordCount())
	}

	ld, refused, err := Decode([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}],"resource":{"attributes":5}},
		{"scopeLogs":[{"logRecords":[{}],"scope":{"name":[]}},{"logRecords":[{}]}]}]}`))
	require.NoError(t, err)
	require.Len(t, refused, 3)
	assert.Contains(t, refused[1].Detail, "/resourceLogs/0/resource/attributes must be a list")
	assert.Contains(t, refused[2].Detail, "/resourceLogs/1/scopeLogs/0/scope/name must be")
	assert.Equal(t, 1, ld.LogRecordCount())

	for _, text := range []string{"", "[]", `{"resourceLogs":5}`, `{"resourceLogs":[{"scopeLogs":{}}]}`, `{"resourceLogs":[{"scopeLogs":[{"logRecords":"x"}]}]}`, `{} {}`, `{"resourceLogs":[`, request(`"body":`), `NaN`} {
		_, _, err := Decode([]byte(text))
		assert.Error(t, err, text)
	}
}

// noName is a member without a name, where pdata's decoder takes the object to end.
var noName = regexp.MustCompile(`""\s*:`)

// Where both decoders take a text, they make the same of it.
func FuzzAgrees(f *testing.F) {
	for _, members := range []string{
		`"body":{"stringValue":"a"},"attributes":[{"key":"a","value":{"intValue":"5"}},{"key":"a","value":{"doubleValue":"NaN"}}]`,
		`"timeUnixNano":"1","severityNumber":"SEVERITY_NUMBER_WARN","traceId":"0af7651916cd43dd8448eb211c80319c","flags":1`,
		`"body":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"bytesValue":"AAE="},null]}}}]}}`,
		`"attributes":[null,{}],"body":{"stringValue":null},"unknown":{"a":[1,{"b":null}]}`,
		`"body":{"arrayValue":null},"eventName":"\ud83d\ude00\n"`,
	} {
		f.Add([]byte(request(members)))
	}
	f.Add([]byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"a"}]},"schemaUrl":"s","scopeLogs":[null,{"scope":{"name":"n"},"logRecords":null}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if utf8.Valid(text) && !noName.Match(text) {
			requireAgreement(t, text)
		}
	})
}

// requireAgreement requires that both decoders make the same of a text, if both take it.
func requireAgreement(t *testing.T, text []byte) {
	t.Helper()
	ld, refused, err := Decode(text)
	fast := plogotlp.NewExportRequest()
	if err != nil || len(refused) > 0 || fast.UnmarshalJSON(text) != nil {
		return
	}
	want, err := fast.MarshalProto()
	require.NoError(t, err)
	got, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	require.Equal(t, want, got, "%s", text)
}
