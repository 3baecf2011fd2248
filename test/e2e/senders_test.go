package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Events of SDKs that are not ours come in by every protocol, and pages hand out each of
// them once.
func TestSenders(t *testing.T) {
	const each = 500
	c := start(t, configuration(map[string]string{"exporters": onDisk(t.TempDir())}))
	goSDK(t, c, each)
	want := map[string]int{"go": each}
	for protocol, endpoint := range map[string]string{
		"http/protobuf": c.otlp, "http/json": c.otlp, "grpc": "http://" + c.grpc,
	} {
		if nodeSDK(t, protocol, endpoint, each) {
			want["node "+protocol] = each
		}
	}
	total := 0
	for source, n := range want {
		total += n
		events := c.readAll(t, "source="+queryEscape(source))
		var sequence []int
		for _, e := range events {
			assert.Equal(t, source, e.Source)
			sequence = append(sequence, int(e.Data["sequence"].(float64)))
			if e.EventType == "metric.latency" { // of Node, with a NaN, which its JSON has as null
				ratio, found := e.Data["ratio"]
				assert.True(t, found)
				assert.Equal(t, map[bool]any{true: nil, false: "NaN"}[source == "node http/json"], ratio, source)
			}
		}
		slices.Sort(sequence)
		for i := range n {
			require.Equal(t, i, sequence[i], source)
		}
		require.Len(t, events, n, source)
	}
	events := c.readAll(t, "")
	assert.Len(t, count(events), total, "every event has an id of its own")
	st := c.stats(t)
	assert.EqualValues(t, total, st.Store.Stored)
	assert.EqualValues(t, total, st.Store.Events)
	require.Len(t, st.Buffers, 1)
	assert.EqualValues(t, total, st.Buffers[0].Received)
	assert.EqualValues(t, total, st.Buffers[0].Forwarded)
}

// What winston and pino log through their OpenTelemetry transports arrives with its level, its text
// and its fields.
func TestLoggers(t *testing.T) {
	node := nodeModules(t)
	c := start(t, configuration(nil))
	for library, want := range map[string]map[string]float64{
		"winston": {
			"a line of error": 17, "a line of warn": 13, "a line of info": 9, "a line of debug": 5, "a line of silly": 1,
			"failed card declined": 17,
		},
		"pino": {
			"a line of fatal": 21, "a line of error": 17, "a line of warn": 13, "a line of info": 9, "a line of debug": 5,
			"a line of trace": 1, "failed": 17,
		},
	} {
		send := exec.CommandContext(t.Context(), node, "../node/loggers.mjs", library, c.otlp, library)
		out, err := send.CombinedOutput()
		require.NoError(t, err, "%s", out)
		got := map[string]float64{}
		for _, e := range c.readAll(t, "source="+library) {
			text := e.Data["body"].(string)
			got[text] = e.Metadata["severity_number"].(float64)
			if strings.HasPrefix(text, "failed") {
				assert.Contains(t, fmt.Sprint(e.Data), "card declined", library)
			} else {
				assert.Equal(t, map[string]any{"id": 4711.0}, e.Data["order"], library)
			}
		}
		assert.Equal(t, want, got, library)
	}
	assert.EqualValues(t, 13, c.stats(t).Store.Stored)
}

// A page as OTLP is a request: posted to another collector it is a replay, ids included.
func TestReplay(t *testing.T) {
	from, to := start(t, configuration(nil)), start(t, configuration(nil))
	goSDK(t, from, 500)
	for after := ""; ; {
		resp, err := http.Get(from.api + "/api/v1/events?format=otlp&limit=200" + after)
		require.NoError(t, err)
		answer, err := http.Post(to.otlp+"/v1/logs", resp.Header.Get("Content-Type"), resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		answer.Body.Close()
		require.Equal(t, http.StatusOK, answer.StatusCode)
		if resp.Header.Get("Event-More") == "false" {
			break
		}
		after = "&after=" + resp.Header.Get("Event-Next")
	}
	want, got := from.readAll(t, ""), to.readAll(t, "")
	require.Len(t, want, 500)
	assert.Equal(t, want, got)
}

func queryEscape(s string) string {
	req, _ := http.NewRequest(http.MethodGet, "http://x/", nil)
	q := req.URL.Query()
	q.Set("x", s)
	return q.Encode()[len("x="):]
}

// goSDK emits with OpenTelemetry's Go SDK over gRPC.
func goSDK(t *testing.T, c *collector, n int) {
	t.Helper()
	ctx := t.Context()
	exporter, err := otlploggrpc.New(ctx, otlploggrpc.WithInsecure(), otlploggrpc.WithEndpoint(c.grpc))
	require.NoError(t, err)
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", "go"))),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter, sdklog.WithMaxQueueSize(n))))
	logger := provider.Logger("e2e")
	for i := range n {
		var r log.Record
		r.SetEventName([]string{"system.boot", "user.login", "metric.cpu", "data.import", "alert.disk"}[i%5])
		r.SetTimestamp(time.Now())
		r.AddAttributes(attribute.Int("sequence", i))
		logger.Emit(ctx, r)
	}
	require.NoError(t, provider.Shutdown(ctx))
}

// nodeModules returns node, with its modules installed; without, the test is skipped.
func nodeModules(t *testing.T) string {
	t.Helper()
	node, why := findNode()
	if why != "" {
		t.Skip(why)
	}
	return node
}

// findNode finds node and installs the modules of test/node, or says why not.
func findNode() (node, why string) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", "needs node"
	}
	if _, err := os.Stat("../node/node_modules/pino"); errors.Is(err, os.ErrNotExist) {
		install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		install.Dir = "../node"
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Sprintf("npm ci failed: %v\n%s", err, out)
		}
	}
	return node, ""
}

// nodeSDK emits with OpenTelemetry's SDK for Node. It returns false where that cannot run.
func nodeSDK(t *testing.T, protocol, endpoint string, n int) bool {
	t.Helper()
	node, why := findNode()
	if why != "" {
		t.Log("not tested with the SDK for Node: " + why)
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	send := exec.CommandContext(ctx, node, "send.mjs", protocol, endpoint, fmt.Sprint(n), "node "+protocol)
	send.Dir = "../node"
	out, err := send.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return true
}
