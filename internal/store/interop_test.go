package store_test

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/plog"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/block"
)

// Blocks are read with what docs/format.md says and nothing of ours: a plain NATS client,
// another snappy library, OTLP's own protobuf package.
func TestBlocksAreWhatFormatSays(t *testing.T) {
	keepingModes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("user.login", 0, 3)))
		require.NoError(t, s.Append(t.Context(), withSeverities(logs("häßlich, typ", 3, 1500))))
		require.NoError(t, s.Close())

		var url string
		if opts.NATS != nil {
			url = opts.NATS.Servers[0]
		} else {
			url = startNATS(t, opts.Directory, -1).ClientURL()
		}
		nc, err := nats.Connect(url)
		require.NoError(t, err)
		defer nc.Close()
		js, err := nc.JetStream()
		require.NoError(t, err)
		info, err := js.StreamInfo("ISBL_EVENTS")
		require.NoError(t, err)
		assert.Equal(t, []string{"isbl.events"}, info.Config.Subjects)

		var ids []string
		for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
			msg, err := js.GetMsg("ISBL_EVENTS", seq)
			require.NoError(t, err)
			records := checkBlock(t, msg)
			for _, record := range records {
				for _, attribute := range record.Attributes {
					if attribute.Key == "log.record.uid" {
						ids = append(ids, attribute.Value.GetStringValue())
					}
				}
			}
		}
		assert.Equal(t, append(names("user.login", 0, 3), names("häßlich, typ", 3, 1500)...), ids)
	})
}

// checkBlock holds the headers of a block against its payload, and returns its records.
func checkBlock(t *testing.T, msg *nats.RawStreamMsg) (records []*logspb.LogRecord) {
	t.Helper()
	raw, err := snappy.Decode(nil, msg.Data)
	require.NoError(t, err)
	var data logspb.LogsData
	require.NoError(t, proto.Unmarshal(raw, &data))
	types := map[string]map[string]int{} // by letter of the severity
	var lowest, highest uint64
	for _, rl := range data.ResourceLogs {
		for _, sl := range rl.ScopeLogs {
			for _, record := range sl.LogRecords {
				if len(records) == 0 || record.TimeUnixNano < lowest {
					lowest = record.TimeUnixNano
				}
				highest = max(highest, record.TimeUnixNano)
				if types[record.EventName] == nil {
					types[record.EventName] = map[string]int{}
				}
				types[record.EventName][letterOf(record.SeverityNumber)]++
				records = append(records, record)
			}
		}
	}
	id := xxh3.Hash128(raw).Bytes()
	encoded := strings.NewReplacer("ä", "%C3%A4", "ß", "%C3%9F", ",", "%2C", " ", "%20")
	require.Len(t, types, 1, "the test has one type a block")
	for name, counts := range types {
		require.Len(t, msg.Header["Isbl-Types"], 1)
		list, found := strings.CutPrefix(msg.Header["Isbl-Types"][0], encoded.Replace(name)+"=")
		require.True(t, found)
		var want []string
		for letter, n := range counts {
			want = append(want, fmt.Sprint(letter, n))
		}
		assert.ElementsMatch(t, want, strings.Split(list, ";"))
	}
	for name, want := range map[string]string{
		"Isbl-Block":    "2",
		"Isbl-Events":   fmt.Sprint(len(records)),
		"Isbl-Time":     fmt.Sprintf("%d,%d", lowest, highest),
		"Isbl-Sources":  fmt.Sprintf("shop=%d", len(records)),
		"Isbl-Checksum": fmt.Sprintf("%08x", crc32.Checksum(msg.Data, crc32.MakeTable(crc32.Castagnoli))),
		"Nats-Msg-Id":   hex.EncodeToString(id[:]),
	} {
		assert.Equal(t, []string{want}, msg.Header[name], name)
	}
	return records
}

// withSeverities gives the records all severities there are, and none.
func withSeverities(ld plog.Logs) plog.Logs {
	n := plog.SeverityNumber(0)
	for ref := range eventlog.All(ld) {
		ref.Record.SetSeverityNumber(n)
		n = (n + 1) % 26
	}
	return ld
}

func letterOf(n logspb.SeverityNumber) string {
	if n < 1 || n > 24 {
		return ""
	}
	return "tdiwef"[(n-1)/4:][:1]
}

// A store that wrote blocks of format version 1 goes on with version 2 in the same stream.
func TestBlocksOfBothVersionsAreRead(t *testing.T) {
	keepingModes(t, func(t *testing.T, opts store.Options) {
		require.NoError(t, open(t, opts).Close())
		publishVersion1(t, opts, logs("user.login", 0, 3))

		s := open(t, opts)
		assert.EqualValues(t, 3, s.Stats(t.Context()).Recovered)
		require.NoError(t, s.Append(t.Context(), withSeverities(logs("user.login", 3, 4))))
		require.NoError(t, s.Append(t.Context(), logs("metric.cpu", 0, 1)))
		page, err := s.Read(t.Context(), store.Query{Limit: 10})
		require.NoError(t, err)
		assert.Equal(t, append(names("user.login", 0, 7), names("metric.cpu", 0, 1)...), ids(page))
		assert.Equal(t, map[countKey]block.Count{
			{name: "user.login"}: {Events: 7, Estimated: 7}, {name: "metric.cpu"}: {Events: 1, Estimated: 1},
		}, sums(t, s, store.CountQuery{}))
	})
}

// publishVersion1 adds a block to the stream of a store that is closed.
func publishVersion1(t *testing.T, opts store.Options, ld plog.Logs) {
	t.Helper()
	var url string
	if opts.NATS != nil {
		url = opts.NATS.Servers[0]
	} else {
		ns := startNATS(t, opts.Directory, -1)
		defer stopNATS(ns)
		url = ns.ClientURL()
	}
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := nc.JetStream()
	require.NoError(t, err)
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	payload := snappy.Encode(nil, raw)
	id := xxh3.Hash128(raw).Bytes()
	_, err = js.PublishMsg(&nats.Msg{Subject: "isbl.events", Data: payload, Header: nats.Header{
		"Isbl-Block": {"1"}, "Isbl-Events": {fmt.Sprint(ld.LogRecordCount())},
		"Isbl-Time":     {fmt.Sprintf("%d,%d", epoch.UnixNano(), epoch.Add(time.Minute).UnixNano())},
		"Isbl-Types":    {fmt.Sprintf("user.login=%d", ld.LogRecordCount())},
		"Isbl-Sources":  {fmt.Sprintf("shop=%d", ld.LogRecordCount())},
		"Isbl-Checksum": {fmt.Sprintf("%08x", crc32.Checksum(payload, crc32.MakeTable(crc32.Castagnoli)))},
		"Nats-Msg-Id":   {hex.EncodeToString(id[:])},
	}})
	require.NoError(t, err)
}
