package store_test

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/isbl/telemetry/internal/store"
)

// Blocks are read with what docs/format.md says and nothing of ours: a plain NATS client,
// another snappy library, OTLP's own protobuf package.
func TestBlocksAreWhatFormatSays(t *testing.T) {
	keepingModes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("user.login", 0, 3)))
		require.NoError(t, s.Append(t.Context(), logs("häßlich, typ", 3, 1500)))
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
	types := map[string]int{}
	var lowest, highest uint64
	for _, rl := range data.ResourceLogs {
		for _, sl := range rl.ScopeLogs {
			for _, record := range sl.LogRecords {
				if len(records) == 0 || record.TimeUnixNano < lowest {
					lowest = record.TimeUnixNano
				}
				highest = max(highest, record.TimeUnixNano)
				types[record.EventName]++
				records = append(records, record)
			}
		}
	}
	id := xxh3.Hash128(raw).Bytes()
	encoded := strings.NewReplacer("ä", "%C3%A4", "ß", "%C3%9F", ",", "%2C", " ", "%20")
	var list []string
	for name, n := range types {
		list = append(list, fmt.Sprintf("%s=%d", encoded.Replace(name), n))
	}
	require.Len(t, list, 1, "the test has one type a block")
	for name, want := range map[string]string{
		"Isbl-Block":    "1",
		"Isbl-Events":   fmt.Sprint(len(records)),
		"Isbl-Time":     fmt.Sprintf("%d,%d", lowest, highest),
		"Isbl-Types":    list[0],
		"Isbl-Sources":  fmt.Sprintf("shop=%d", len(records)),
		"Isbl-Checksum": fmt.Sprintf("%08x", crc32.Checksum(msg.Data, crc32.MakeTable(crc32.Castagnoli))),
		"Nats-Msg-Id":   hex.EncodeToString(id[:]),
	} {
		assert.Equal(t, []string{want}, msg.Header[name], name)
	}
	return records
}
