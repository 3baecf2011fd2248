package measure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const noLimit = 1 << 30

// wrap returns body as a length-delimited field.
func wrap(number int, body []byte) []byte {
	field := binary.AppendUvarint(nil, uint64(number)<<3|wireLen)
	field = binary.AppendUvarint(field, uint64(len(body)))
	return append(field, body...)
}

// requestOf returns a request with what is given as the fields of one ScopeLogs.
func requestOf(scopeLogs []byte) []byte { return wrap(1, wrap(2, scopeLogs)) }

func repeated(field []byte, n int) []byte { return bytes.Repeat(field, n) }

// usual is a request as SDKs send it.
func usual(records int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("checkout")
	for i := range records {
		rec := sl.LogRecords().AppendEmpty()
		rec.SetTimestamp(1_700_000_000_000_000_000)
		rec.SetEventName("user.login")
		rec.SetSeverityText("INFO")
		rec.Body().SetStr("Ada Lovelace logged in")
		rec.Attributes().PutStr("user.name", "Ada Lovelace")
		rec.Attributes().PutInt("user.id", int64(i)+1000)
		rec.Attributes().PutDouble("ms", 12.5)
		rec.Attributes().PutEmptyMap("cart").PutEmptySlice("items").AppendEmpty().SetStr("book")
	}
	return ld
}

// shapes are requests whose decoded form is much larger than they are, and a usual one.
func shapes(t testing.TB) map[string][]byte {
	t.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(usual(3000)).MarshalProto()
	require.NoError(t, err)
	nested := []byte{}
	for range 60 {
		nested = wrap(1, wrap(5, nested)) // ArrayValue.values, AnyValue.array_value
	}
	inBody := func(value []byte) []byte { return requestOf(wrap(2, wrap(5, value))) }
	return map[string][]byte{
		"usual":                  body,
		"empty records":          requestOf(repeated(wrap(2, nil), 40_000)),
		"empty resources":        repeated(wrap(1, nil), 40_000),
		"empty scopes":           wrap(1, repeated(wrap(2, nil), 40_000)),
		"deprecated scopes":      wrap(1, repeated(wrap(deprecatedScopeLogs, nil), 40_000)),
		"empty attributes":       requestOf(wrap(2, repeated(wrap(6, nil), 40_000))),
		"empty values":           inBody(wrap(5, repeated(wrap(1, nil), 40_000))),
		"empty lists":            inBody(wrap(5, repeated(wrap(1, wrap(5, nil)), 40_000))),
		"empty maps":             inBody(wrap(5, repeated(wrap(1, wrap(6, nil)), 40_000))),
		"map entries":            inBody(wrap(6, repeated(wrap(1, nil), 40_000))),
		"numbers":                inBody(wrap(5, repeated(wrap(1, []byte{3 << 3, 1}), 40_000))),
		"short strings":          inBody(wrap(5, repeated(wrap(1, wrap(1, []byte("a"))), 40_000))),
		"short bytes":            inBody(wrap(5, repeated(wrap(1, wrap(7, []byte("a"))), 40_000))),
		"short names":            requestOf(wrap(2, repeated(wrap(6, wrap(1, []byte("a"))), 40_000))),
		"a long string":          inBody(wrap(1, repeated([]byte("x"), 1<<20))),
		"nested lists":           requestOf(repeated(wrap(2, wrap(5, wrap(5, nested))), 500)),
		"entities":               wrap(1, wrap(1, repeated(wrap(3, nil), 40_000))),
		"names of entities":      wrap(1, wrap(1, wrap(3, repeated(wrap(3, nil), 40_000)))),
		"long names of entities": wrap(1, wrap(1, wrap(3, repeated(wrap(3, []byte("service.name")), 40_000)))),
	}
}

// The estimate is held against what the decoder takes, in protobuf and in JSON.
func TestEstimate(t *testing.T) {
	check := func(t *testing.T, size Size, most float64, decode func(plogotlp.ExportRequest) error) {
		t.Helper()
		var before, after runtime.MemStats
		for range 2 { // the second empties the pools
			runtime.GC()
		}
		runtime.ReadMemStats(&before)
		req := plogotlp.NewExportRequest()
		require.NoError(t, decode(req))
		runtime.GC()
		runtime.ReadMemStats(&after)
		heap := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		ratio := float64(size.Bytes) / float64(heap)
		t.Logf("estimated %d bytes of %d: %.2f", size.Bytes, heap, ratio)
		assert.Greater(t, ratio, 0.9, "the estimate does not cover what is taken")
		assert.Less(t, ratio, most, "the estimate refuses what could be taken")
		runtime.KeepAlive(req)
	}
	for name, body := range shapes(t) {
		t.Run(name, func(t *testing.T) {
			size, err := Proto(body, noLimit)
			require.NoError(t, err)
			check(t, size, 2.5, func(req plogotlp.ExportRequest) error { return req.UnmarshalProto(body) })

			req := plogotlp.NewExportRequest()
			require.NoError(t, req.UnmarshalProto(body))
			text, err := req.MarshalJSON()
			require.NoError(t, err)
			if len(text) < 100 {
				return // JSON does not have these fields
			}
			size, err = JSON(text, noLimit)
			require.NoError(t, err)
			check(t, size, 4.5, func(req plogotlp.ExportRequest) error { return req.UnmarshalJSON(text) })
			runtime.KeepAlive(req)
			runtime.KeepAlive(text)
		})
	}
}

func TestRecords(t *testing.T) {
	ld := usual(1000)
	ld.ResourceLogs().At(0).ScopeLogs().AppendEmpty()
	usual(7).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	req := plogotlp.NewExportRequestFromLogs(ld)
	body, err := req.MarshalProto()
	require.NoError(t, err)
	text, err := req.MarshalJSON()
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		measure func([]byte, int) (Size, error)
		body    []byte
	}{"protobuf": {Proto, body}, "JSON": {JSON, text}, "JSON, snake case": {JSON, bytes.ReplaceAll(text, []byte("logRecords"), []byte("log_records"))}} {
		t.Run(name, func(t *testing.T) {
			size, err := tt.measure(tt.body, 1007)
			require.NoError(t, err)
			assert.Equal(t, 1007, size.Records)
			_, err = tt.measure(tt.body, 1006)
			assert.ErrorIs(t, err, ErrTooMany)
		})
	}
	size, err := JSON([]byte(`{"resourceLogs":[{"scopeLogs":[{"log\u0052ecords":[{},{},{}]}]}]}`), 3)
	require.NoError(t, err)
	assert.Equal(t, 3, size.Records, "an escape hides nothing")
}

func TestNesting(t *testing.T) {
	nested := func(levels int) (body, text []byte) {
		var value []byte
		for range levels {
			value = wrap(1, wrap(2, wrap(6, value))) // KeyValueList.values, KeyValue.value, AnyValue.kvlist_value
		}
		return requestOf(wrap(2, wrap(5, wrap(6, value)))),
			[]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"kvlistValue":{"values":[{"key":"","value":`, levels) +
				`{}` + strings.Repeat(`}]}}`, levels) + `}]}]}]}`)
	}
	body, text := nested(MaxNesting)
	_, err := Proto(body, noLimit)
	require.NoError(t, err)
	_, err = JSON(text, noLimit)
	require.NoError(t, err)
	body, text = nested(MaxNesting + 10)
	_, err = Proto(body, noLimit)
	require.ErrorIs(t, err, ErrTooDeep)
	_, err = JSON(text, noLimit)
	require.ErrorIs(t, err, ErrTooDeep)
	_, err = JSON(bytes.Repeat([]byte("["), 1<<20), noLimit)
	assert.ErrorIs(t, err, ErrTooDeep)
}

// A record as usual is measured at once. With a field that nobody knows it is read field by field,
// and found to be the same.
func TestUsualRecords(t *testing.T) {
	short, long := strings.Repeat("x", 100), strings.Repeat("x", 128)
	i64 := func(number int) []byte { return append([]byte{byte(number<<3 | wireI64)}, make([]byte, 8)...) }
	list := func(elements ...[]byte) []byte {
		var all []byte
		for _, e := range elements {
			all = append(all, wrap(1, e)...)
		}
		return wrap(5, all)
	}
	check := func(fields ...[]byte) {
		t.Helper()
		usual := slices.Concat(fields...)
		strange := slices.Concat(append(fields, wrap(15, nil))...)
		want, err := Proto(requestOf(wrap(2, strange)), noLimit)
		require.NoError(t, err)
		got, err := Proto(requestOf(wrap(2, usual)), noLimit)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%x", usual)
	}
	values := [][]byte{
		nil, wrap(1, nil), wrap(1, []byte("v")), wrap(1, []byte(short)), wrap(1, []byte(long)), wrap(7, []byte("v")), i64(4),
		{2 << 3, 1},
		{3 << 3, 1},
		binary.AppendUvarint([]byte{3 << 3}, 1<<63),
		{3 << 3, 1, 3 << 3, 1},
		append(wrap(1, nil), wrap(1, []byte("v"))...),
		list(), list(nil, wrap(1, []byte("a")), list(i64(4), []byte{3 << 3, 1})), list(wrap(7, nil)), wrap(6, wrap(1, wrap(2, wrap(1, []byte("a"))))),
		append(list(), list(nil)...), wrap(5, wrap(2, nil)),
	}
	for _, value := range values {
		check(wrap(5, value))
		for _, name := range []string{"", "n", short, long} {
			name, value, strange := wrap(1, []byte(name)), wrap(2, value), wrap(15, nil)
			for _, attribute := range [][]byte{
				slices.Concat(name, value), slices.Concat(value, name), slices.Concat(name, value, name), slices.Concat(name, value, strange),
			} {
				check(wrap(6, attribute))
				check(i64(1), wrap(6, attribute), wrap(12, []byte("a.b")))
			}
		}
	}
	check(i64(1), i64(11), []byte{2 << 3, 9}, []byte{2 << 3, 0x89, 1}, wrap(3, []byte("INFO")), wrap(9, make([]byte, 16)), wrap(10, make([]byte, 8)),
		[]byte{8<<3 | wireI32, 1, 0, 0, 0}, []byte{7 << 3, 1}, wrap(12, []byte(long)))

	for _, value := range []string{"\x0a", "\x0a\x01", "\x0a\x81", "\x18", "\x18\x80", "\x21\x00", "\x2a\x01\x0a", "\x2a\x02\x0a\x01", "\x2a\x03\x0a\x01\x0a"} {
		for _, record := range [][]byte{wrap(6, append(wrap(1, []byte("n")), wrap(2, []byte(value))...)), wrap(5, []byte(value))} {
			_, err := Proto(requestOf(wrap(2, record)), noLimit)
			assert.ErrorIs(t, err, ErrMalformed, "%x", record)
		}
	}
	for _, record := range []string{"\x09", "\x09\x01", "\x45\x01", "\x10", "\x10\x80", "\x62\x05a", "\x62", "\x32\x02\x0a", "\x32\x01\x0a", "\x32\x02\x0a\x01"} {
		_, err := Proto(requestOf(wrap(2, []byte(record))), noLimit)
		assert.ErrorIs(t, err, ErrMalformed, "%x", record)
	}
}

func TestMalformed(t *testing.T) {
	for _, body := range []string{"\x0a\xff\xff\xff\xff\x0fx", "\x0a\x10\x12", "\x0a", "\x00\x00", "\x0c", "\x0f", "\x09\x01", "\x0b\x00", "\x80"} {
		_, err := Proto([]byte(body), noLimit)
		assert.ErrorIs(t, err, ErrMalformed, "%q", body)
	}
}

func BenchmarkMeasure(b *testing.B) {
	for _, name := range []string{"usual", "empty records", "numbers", "nested lists"} {
		body := shapes(b)[name]
		req := plogotlp.NewExportRequest()
		require.NoError(b, req.UnmarshalProto(body))
		text, err := req.MarshalJSON()
		require.NoError(b, err)
		for form, measure := range map[string]func() (Size, error){
			"protobuf": func() (Size, error) { return Proto(body, noLimit) },
			"JSON":     func() (Size, error) { return JSON(text, noLimit) },
		} {
			b.Run(fmt.Sprintf("%s/%s", form, name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				if form == "JSON" {
					b.SetBytes(int64(len(text)))
				}
				for b.Loop() {
					if _, err := measure(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
