package eventreceiver

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestMalformed(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s := serve(t, nopSettings(), sink, nil)
	tests := []struct {
		name, contentType, coding, body string
		want                            int
	}{
		{"no protobuf", protobufType, "", "\x0a\xff\xff\xff\xff\x0fnonsense", http.StatusBadRequest},
		{"protobuf that ends early", protobufType, "", "\x0a\x10\x12", http.StatusBadRequest},
		{"no JSON", jsonType, "", `{"resourceLogs": [`, http.StatusBadRequest},
		{"JSON of another shape", jsonType, "", `{"resourceLogs": "none"}`, http.StatusBadRequest},
		{"no gzip", protobufType, "gzip", "plain", http.StatusBadRequest},
		{"unknown coding", protobufType, "rot13", "plain", http.StatusUnsupportedMediaType},
		{"unknown type", "text/plain", "", "hello", http.StatusUnsupportedMediaType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, answer := s.post(t, tt.contentType, tt.coding, []byte(tt.body))
			assert.Equal(t, tt.want, resp.StatusCode, "%s", answer)
			s.stillWorks(t, sink)
		})
	}
	t.Run("over gRPC", func(t *testing.T) {
		err := s.exportBytes(t, []byte("\x0a\x10\x12"), false)
		assert.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
		s.stillWorks(t, sink)
	})
}

// smallBody is the limit of requests in tests that send as much as is allowed, in bytes.
const smallBody = 4 << 20

var smallLimit = map[string]any{"protocols": map[string]any{
	"grpc": map[string]any{"max_recv_msg_size_mib": smallBody >> 20},
	"http": map[string]any{"max_request_body_size": smallBody},
}}

// As deep as a request may be: decoding must not outgrow the stack, and nothing of ours may follow
// the nesting down.
func TestNestedToTheLimit(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s := serve(t, nopSettings(), sink, smallLimit)
	bodies := map[string]struct {
		contentType string
		body        []byte
	}{
		"protobuf lists": {protobufType, nestedProtobuf(t, smallBody, listLevel)},
		"protobuf maps":  {protobufType, nestedProtobuf(t, smallBody, mapLevel)},
		"JSON lists":     {jsonType, nestedJSON(smallBody, `{"arrayValue":{"values":[`, `]}}`)},
		"JSON maps":      {jsonType, nestedJSON(smallBody, `{"kvlistValue":{"values":[{"key":"","value":`, `}]}}`)},
	}
	for name, tt := range bodies {
		require.LessOrEqual(t, len(tt.body), smallBody)
		require.Greater(t, len(tt.body), smallBody-100, "the test sends as much as is allowed")
		t.Run(name, func(t *testing.T) {
			resp, answer := s.post(t, tt.contentType, "", tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "%s", answer)
			assert.NotEmpty(t, answer)
			s.stillWorks(t, sink)

			resp, answer = s.post(t, tt.contentType, "gzip", zipped(t, tt.body))
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "%s", answer)
			assert.NotEmpty(t, answer)
			s.stillWorks(t, sink)

			if tt.contentType == protobufType {
				for _, compressed := range []bool{false, true} {
					err := s.exportBytes(t, tt.body, compressed)
					assert.Equal(t, codes.InvalidArgument, status.Code(err))
					assert.ErrorContains(t, err, "nested more than 512 levels deep")
					s.stillWorks(t, sink)
				}
			}
		})
	}
}

// What is larger than the limit is refused, also where only its decompressed form is.
func TestTooLarge(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s := serve(t, nopSettings(), sink, smallLimit)
	ld := plog.NewLogs()
	appendEvent(ld, "user.upload").Attributes().PutStr("content", strings.Repeat("x", smallBody))
	body := marshal(t, ld)

	for _, coding := range []string{"", "gzip"} {
		sent := body
		if coding != "" {
			sent = zipped(t, body)
		}
		resp, answer := s.post(t, protobufType, coding, sent)
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
		assert.Contains(t, string(answer), "the body is larger than 4194304 bytes, decompressed")
	}
	assert.Equal(t, codes.ResourceExhausted, status.Code(s.exportBytes(t, body, false)))
	assert.Equal(t, codes.ResourceExhausted, status.Code(s.exportBytes(t, body, true)))
	assert.Empty(t, sink.AllLogs())
	s.stillWorks(t, sink)
}

// stillWorks sends one more event and expects the sink to get it.
func (s *server) stillWorks(t *testing.T, sink *consumertest.LogsSink) {
	t.Helper()
	sink.Reset()
	ld := plog.NewLogs()
	appendEvent(ld, "user.login")
	s.mustPost(t, protobufType, marshal(t, ld))
	require.Equal(t, 1, sink.LogRecordCount())
}

// Field tags of OTLP's messages; all are length-delimited.
var (
	requestPath = []byte{0x2a, 0x12, 0x12, 0x0a} // LogRecord.body, ScopeLogs.log_records, ResourceLogs.scope_logs, LogsData.resource_logs
	listLevel   = []byte{0x0a, 0x2a}             // ArrayValue.values, AnyValue.array_value
	mapLevel    = []byte{0x12, 0x0a, 0x32}       // KeyValue.value, KeyValueList.values, AnyValue.kvlist_value
)

// nestedProtobuf returns a request of at most size bytes with one record, whose body nests values
// as deep as fits. It is written from its end, so that each length is known when it is written.
func nestedProtobuf(t *testing.T, size int, level []byte) []byte {
	t.Helper()
	buf := make([]byte, size)
	at := size
	wrap := func(tags []byte) {
		for _, tag := range tags {
			n := size - at
			var length []byte
			for ; n >= 0x80; n >>= 7 {
				length = append(length, byte(n)|0x80)
			}
			length = append(length, byte(n))
			at -= len(length)
			copy(buf[at:], length)
			at--
			buf[at] = tag
		}
	}
	for at > 50 {
		wrap(level)
	}
	wrap(requestPath)
	return buf[at:]
}

// nestedJSON returns a request of at most size bytes with one record, whose body nests values as
// deep as fits.
func nestedJSON(size int, opening, closing string) []byte {
	const head, tail = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":`, `}]}]}]}`
	levels := (size - len(head) - len("{}") - len(tail)) / (len(opening) + len(closing))
	return []byte(head + strings.Repeat(opening, levels) + "{}" + strings.Repeat(closing, levels) + tail)
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}
