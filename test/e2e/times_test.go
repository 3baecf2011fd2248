package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// farTimes sends events of the last second that 64 bits of nanoseconds hold, and of times after it.
// The first are taken by every way in, and pages, counts and aggregates agree on when they are; the
// others are refused by name, also where another receiver is in front of the store.
func farTimes(t *testing.T, c *collector, other string) {
	last := time.Date(2262, 4, 11, 23, 47, 16, 0, time.UTC)
	after := []time.Time{last.Add(time.Second), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)}
	conn, err := grpc.NewClient(c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()

	record := func(door string, at time.Time) plogotlp.ExportRequest {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", door)
		r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.SetEventName("far.away")
		r.SetTimestamp(pcommon.Timestamp(at.Unix()) * 1e9)
		r.Attributes().PutInt("n", 1)
		return plogotlp.NewExportRequestFromLogs(ld)
	}
	export := func(t *testing.T, url, door string, at time.Time) int {
		body, err := record(door, at).MarshalProto()
		require.NoError(t, err)
		status, _ := c.do(t, http.MethodPost, url+"/v1/logs", body, "Content-Type", protobufType)
		return status
	}
	doors := map[string]func(t *testing.T, door string, at time.Time) int{
		"json": func(t *testing.T, door string, at time.Time) int {
			status, _ := c.post(t, jsonType, fmt.Sprintf(`{"event_type":"far.away","source":%q,"timestamp":%q,"data":{"n":1}}`, door, at.Format(time.RFC3339)))
			return status
		},
		"cloudevents": func(t *testing.T, door string, at time.Time) int {
			status, _ := c.post(t, "application/cloudevents+json",
				fmt.Sprintf(`{"specversion":"1.0","type":"far.away","id":%q,"source":%q,"time":%q,"data":{"n":1}}`, at, door, at.Format(time.RFC3339)))
			return status
		},
		"webhook": func(t *testing.T, door string, at time.Time) int {
			status, _ := c.do(t, http.MethodPost, c.events+"?event_type=far.away&source="+door+"&timestamp_from=body:/at",
				fmt.Appendf(nil, `{"n":1,"at":%d}`, at.Unix()), "Content-Type", jsonType)
			return status
		},
		"otlp-protobuf": func(t *testing.T, door string, at time.Time) int { return export(t, c.otlp, door, at) },
		"otlp-json": func(t *testing.T, door string, at time.Time) int {
			body, err := record(door, at).MarshalJSON()
			require.NoError(t, err)
			status, _ := c.do(t, http.MethodPost, c.otlp+"/v1/logs", body, "Content-Type", jsonType)
			return status
		},
		"otlp-grpc": func(t *testing.T, door string, at time.Time) int {
			_, err := plogotlp.NewGRPCClient(conn).Export(t.Context(), record(door, at))
			return map[codes.Code]int{codes.OK: http.StatusOK, codes.InvalidArgument: http.StatusBadRequest}[status.Code(err)]
		},
		"other-receiver": func(t *testing.T, door string, at time.Time) int { return export(t, other, door, at) },
	}
	refusedBefore := c.problems(t)
	var sources []string
	for door, send := range doors {
		assert.Less(t, send(t, door, last), 300, door)
		for _, at := range after {
			assert.Equal(t, http.StatusBadRequest, send(t, door, at), "%s: %s", door, at)
		}
		sources = append(sources, "source="+door)
	}
	refused := c.problems(t)
	own := (len(doors) - 1) * len(after)
	assert.Equal(t, own, refused["receiver/event invalid_value"]-refusedBefore["receiver/event invalid_value"])
	assert.Equal(t, len(after), refused["exporter/event_store invalid_value"])

	for query, found := range map[string]int{
		"":                            len(doors),
		"&since=2262-01-01":           len(doors),
		"&since=2262-04-12":           0,
		"&until=2262-04-12":           len(doors),
		"&until=9999-12-31T23:59:59Z": len(doors),
		"&until=2262-04-11":           0,
		"&since=2500-01-01":           0,
	} {
		query = strings.Join(sources, "&") + query
		events := c.readAll(t, query)
		assert.Len(t, events, found, query)
		for _, e := range events {
			assert.Equal(t, last, e.Timestamp, e.Source)
		}
		for call, rows := range map[string]string{"counts?by=source&interval=1w&": "buckets", "aggregate?field=data.n&functions=count,sum&by=source&interval=1w&": "groups"} {
			var answer map[string]any
			get(t, c.api+"/api/v1/"+call+query, &answer)
			total := 0
			for _, row := range answer[rows].([]any) {
				row := row.(map[string]any)
				total += int(row["count"].(float64))
				assert.Equal(t, "2262-04-07T00:00:00Z", row["start"], call)
			}
			assert.Equal(t, found, total, "%s%s", call, query)
		}
	}
}
