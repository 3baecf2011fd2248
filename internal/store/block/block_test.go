package block_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/wire"
)

func rawLogs(t testing.TB, n int) []byte {
	t.Helper()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		records.AppendEmpty().SetEventName(fmt.Sprintf("n.%d", i))
	}
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	return raw
}

func TestEncodeDecode(t *testing.T) {
	raw := rawLogs(t, 3)
	var sum block.Summary
	sum.Add(block.Event{Type: "user.login", Source: "shop", Severity: severity.Info, Timestamp: 30, Estimated: 1})
	sum.Add(block.Event{Type: "a=b,c:d %/ü", Timestamp: 20, Estimated: 1})
	sum.Add(block.Event{Type: "user.login", Source: "shop", Severity: severity.Error + 2, Timestamp: 10, Estimated: 10})
	encoded := new(block.Encoder).Encode(raw, &sum)
	headers, payload, id := encoded.Headers, encoded.Payload, encoded.ID
	assert.Equal(t, []string{id}, headers["Nats-Msg-Id"])
	assert.Equal(t, []string{"2"}, headers["Isbl-Block"])
	assert.Equal(t, []string{"10,30"}, headers["Isbl-Time"])
	assert.Equal(t, []string{"user.login=i1;e1:10,a%3Db%2Cc%3Ad%20%25%2F%C3%BC=1"}, headers["Isbl-Types"])
	assert.Equal(t, []string{"shop=2:11,=1"}, headers["Isbl-Sources"])

	h, err := block.ParseHeader(headers)
	require.NoError(t, err)
	assert.True(t, h.Severities)
	assert.Equal(t, sum.Types.List, h.Types.List)
	assert.Equal(t, sum.Sources.List, h.Sources.List)
	assert.Equal(t, encoded.Header.ID, h.ID)
	assert.Equal(t, encoded.Header.Checksum, h.Checksum)
	assert.Equal(t, id, block.ID(headers))
	events, err := block.Decode(&h, payload)
	require.NoError(t, err)
	assert.Len(t, events.Refs(), 3)
	assert.Equal(t, "n.1", events.Refs()[1].EventType())

	plain, err := snappy.Decode(nil, payload) // not the library that wrote it
	require.NoError(t, err)
	assert.Equal(t, raw, plain)
}

// Blocks of format version 1, which count types only, are read too.
func TestBlocksWithoutSeveritiesAreRead(t *testing.T) {
	h, err := block.ParseHeader(map[string][]string{
		"Isbl-Block": {"1"}, "Isbl-Events": {"3"}, "Isbl-Time": {"10,30"}, "Isbl-Types": {"user.login=2:11"},
		"Isbl-Types-Others": {"1"}, "Isbl-Sources": {"shop=3:12"}, "Isbl-Checksum": {"0000002a"},
		"Nats-Msg-Id": {"000102030405060708090a0b0c0d0e0f"},
	})
	require.NoError(t, err)
	assert.False(t, h.Severities)
	assert.Equal(t, []block.NameCount{{Name: "user.login", Count: block.Count{Events: 2, Estimated: 11}}}, h.Types.List)
	assert.EqualValues(t, 1, h.Types.Others.Events)
	assert.EqualValues(t, 42, h.Checksum)

	_, err = block.ParseHeader(map[string][]string{"Isbl-Block": {"3"}})
	assert.ErrorContains(t, err, `block format "3" is not known`)
}

// A writer may use another protobuf library than pdata, or a newer OTLP.
func TestReadTakesWhatIsNotInNormalForm(t *testing.T) {
	raw := protowire.AppendTag(nil, 99, protowire.VarintType)
	raw = protowire.AppendVarint(raw, 1)
	raw = append(raw, rawLogs(t, 3)...)
	events, err := block.Read(raw, 3)
	require.NoError(t, err)
	assert.Len(t, events.Records, 3)
	assert.Equal(t, "n.1", events.Refs()[1].EventType())

	var encoder wire.JSONEncoder
	want, err := block.Read(rawLogs(t, 3), 3)
	require.NoError(t, err)
	assert.Equal(t, string(encoder.Append(nil, want.Records[1])), string(encoder.Append(nil, events.Records[1])))

	for name, raw := range map[string][]byte{"cut off": raw[:len(raw)-1], "text": []byte("no logs at all"), "too few": raw[:2]} {
		_, err := block.Read(raw, 3)
		assert.ErrorIs(t, err, block.ErrDamaged, name)
	}
}

func TestDamageIsFound(t *testing.T) {
	var sum block.Summary
	sum.Add(block.Event{Type: "a", Source: "b", Timestamp: 1, Estimated: 1})
	encoded := new(block.Encoder).Encode(rawLogs(t, 1), &sum)
	headers, payload := encoded.Headers, encoded.Payload
	h, err := block.ParseHeader(headers)
	require.NoError(t, err)
	for i := range payload {
		damaged := append([]byte{}, payload...)
		damaged[i] ^= 0x10
		_, err := block.Decode(&h, damaged)
		require.ErrorIs(t, err, block.ErrDamaged)
	}
	h.Events = 2
	_, err = block.Decode(&h, payload)
	require.ErrorIs(t, err, block.ErrDamaged, "another number of records")
}

func TestHeadersStaySmall(t *testing.T) {
	var sum block.Summary
	for i := range 1000 {
		sum.Add(block.Event{
			Type: fmt.Sprintf("%d-%s", i%90, strings.Repeat("ü", i%90%7)), Severity: severity.Number(i % 25),
			Source: fmt.Sprintf("%d-%s", i, strings.Repeat("x", 100)), Timestamp: int64(i), Estimated: 12345.678901234567,
		})
	}
	sum.Add(block.Event{Type: strings.Repeat("x", 129), Source: "short", Timestamp: 1, Estimated: 1})
	headers := new(block.Encoder).Encode(rawLogs(t, 1), &sum).Headers
	size := 0
	for k, v := range headers {
		size += len(k) + len(v[0]) + 4
	}
	assert.LessOrEqual(t, size, block.MaxHeaderBytes)
	for _, n := range []block.Names{sum.Types, sum.Sources} {
		total := n.Others.Events
		for _, nc := range n.List {
			total += nc.Events
		}
		names := map[string]bool{}
		for _, nc := range n.List {
			names[nc.Name] = true
		}
		assert.LessOrEqual(t, len(names), 64)
		assert.EqualValues(t, 1001, total, "what is not listed is counted")
	}

	// Until it is read from its headers, a block knows the names that have no room in them.
	var merged block.Summary
	merged.Merge(&sum)
	for _, s := range []block.Summary{sum, merged} {
		types := map[string]uint64{}
		for name, c := range s.Types.All() {
			types[name] += c.Events
		}
		assert.Len(t, types, 91)
		assert.EqualValues(t, 1, types[""], "a name that is too long")
		for i := range 90 {
			name := fmt.Sprintf("%d-%s", i, strings.Repeat("ü", i%7))
			assert.EqualValues(t, (1000-i+89)/90, types[name], name)
		}
	}
}

func TestMaxRawBytes(t *testing.T) {
	n := block.MaxRawBytes(1 << 20)
	noise := make([]byte, n)
	for i := range noise {
		noise[i] = byte(i * i * 31 >> 3)
	}
	payload := new(block.Encoder).Encode(noise, &block.Summary{}).Payload
	assert.LessOrEqual(t, len(payload)+block.MaxHeaderBytes, 1<<20)
	assert.Greater(t, n, 1000<<10)
}

func TestMergeIsAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole, left, right block.Summary
		cut := rapid.IntRange(1, 20).Draw(t, "cut")
		for i := range rapid.IntRange(21, 40).Draw(t, "events") {
			e := block.Event{
				Type: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "type"), Source: "s",
				Severity:  severity.Number(rapid.IntRange(0, 24).Draw(t, "severity")),
				Timestamp: rapid.Int64().Draw(t, "time"), Estimated: 2,
			}
			part := &right
			if i < cut {
				part = &left
			}
			whole.Add(e)
			part.Add(e)
		}
		left.Merge(&right)
		h1 := new(block.Encoder).Encode(nil, &whole).Headers
		h2 := new(block.Encoder).Encode(nil, &left).Headers
		require.Equal(t, h1, h2)
	})
}

func FuzzDecode(f *testing.F) {
	var sum block.Summary
	sum.Add(block.Event{Type: "a", Source: "b", Timestamp: 1, Estimated: 1})
	encoded := new(block.Encoder).Encode(rawLogs(f, 1), &sum)
	headers, payload := encoded.Headers, encoded.Payload
	f.Add("2", headers["Isbl-Events"][0], headers["Isbl-Time"][0], headers["Isbl-Types"][0], headers["Isbl-Checksum"][0], headers["Nats-Msg-Id"][0], payload)
	f.Add("1", "-1", ",", "a=,=", "zz", "", []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(_ *testing.T, version, events, time, types, checksum, id string, payload []byte) {
		h, err := block.ParseHeader(map[string][]string{
			"Isbl-Block": {version}, "Isbl-Events": {events}, "Isbl-Time": {time},
			"Isbl-Types": {types}, "Isbl-Checksum": {checksum}, "Nats-Msg-Id": {id},
		})
		if err == nil {
			_, _ = block.Decode(&h, payload)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	raw := rawLogs(b, 1000)
	var sum block.Summary
	for i := range 1000 {
		sum.Add(block.Event{Type: []string{"user.login", "metric.cpu"}[i%2], Source: "shop", Timestamp: int64(i), Estimated: 1})
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	var encoder block.Encoder
	for b.Loop() {
		encoder.Encode(raw, &sum)
	}
}
