package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry"
)

// TestDoors sends to one collector what real senders send, by every way in: OTLP, JSON,
// CloudEvents, webhooks, and another receiver in front of the store.
func TestDoors(t *testing.T) {
	other := freePort(t)
	c := start(t, configuration(map[string]string{
		"receivers": `
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:` + other + `"}
  event:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
      events:
        endpoint: "127.0.0.1:0"
        webhook_origins: [eventgrid.azure.net]
        webhooks:
          github:
            event_type_from: [header:X-GitHub-Event, body:/action]
            event_type_prefix: github.
            id_from: header:X-GitHub-Delivery
            signature: github
            secret: s3cret
          standard:
            event_type_from: body:/type
            id_from: header:webhook-id
            signature: standard_webhooks
            secret: whsec_` + base64.StdEncoding.EncodeToString([]byte(webhookKey)),
		"processors": `
  event_buffer:
    buffer_size: 100000
    sampling_rates:
      - {event_type: "sampled.*", min_severity: error, rate: 1}
      - {event_type: "sampled.*", rate: 0}`,
		"pipelines": `
    logs: {receivers: [event], processors: [event_buffer], exporters: [event_store]}
    logs/other: {receivers: [otlp], exporters: [event_store]}`,
	}))
	for _, url := range c.receivers {
		if !strings.HasSuffix(url, ":"+other) {
			c.otlp = url
		}
	}
	t.Run("a stock collector with batches", func(t *testing.T) { stockCollector(t, c) })
	t.Run("a Service in a burst", func(t *testing.T) { forwardBurst(t, c) })
	t.Run("signed webhooks", func(t *testing.T) { signedWebhooks(t, c) })
	t.Run("senders of CloudEvents ask first", func(t *testing.T) { handshakes(t, c) })
	t.Run("bombs", func(t *testing.T) { bombs(t, c) })
	t.Run("severities", func(t *testing.T) { severities(t, c) })
	t.Run("a name twice", func(t *testing.T) { nameTwice(t, c) })
	t.Run("times", func(t *testing.T) { farTimes(t, c, "http://127.0.0.1:"+other) })
}

// stockCollector sends 9000 records as the Collector's batch processor and its exporters make
// requests of them: the first has 8192 records, more than 4 MiB.
func stockCollector(t *testing.T, c *collector) {
	for source, tt := range map[string]struct {
		factory exporter.Factory
		config  map[string]any
	}{
		"stock over gRPC": {otlpexporter.NewFactory(), map[string]any{"endpoint": c.grpc, "tls": map[string]any{"insecure": true}}},
		"stock over HTTP": {otlphttpexporter.NewFactory(), map[string]any{"endpoint": c.otlp}},
	} {
		cfg := tt.factory.CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(tt.config).Unmarshal(cfg))
		to, err := tt.factory.CreateLogs(t.Context(), exportertest.NewNopSettings(tt.factory.Type()), cfg)
		require.NoError(t, err)
		batches := batchprocessor.NewFactory()
		batching := batches.CreateDefaultConfig().(*batchprocessor.Config)
		require.EqualValues(t, 8192, batching.SendBatchSize)
		batching.Timeout = time.Minute // until the shutdown
		batch, err := batches.CreateLogs(t.Context(), processortest.NewNopSettings(batches.Type()), batching, to)
		require.NoError(t, err)
		for _, part := range []component.Component{to, batch} {
			require.NoError(t, part.Start(t.Context(), componenttest.NewNopHost()))
		}

		const requests, each = 90, 100
		for i := range requests {
			ld := plog.NewLogs()
			rl := ld.ResourceLogs().AppendEmpty()
			rl.Resource().Attributes().PutStr("service.name", source)
			records := rl.ScopeLogs().AppendEmpty().LogRecords()
			for j := range each {
				record := records.AppendEmpty()
				record.SetEventName("data.import")
				record.Attributes().PutStr("text", strings.Repeat("x", 600))
				record.Attributes().PutInt("n", int64(i*each+j))
			}
			require.NoError(t, batch.ConsumeLogs(t.Context(), ld))
		}
		for _, part := range []component.Component{batch, to} { // each sends what it still has
			require.NoError(t, part.Shutdown(t.Context()))
		}
		seen := map[float64]bool{}
		for _, e := range c.readAll(t, "source="+queryEscape(source)) {
			seen[e.Data["n"].(float64)] = true
		}
		assert.Len(t, seen, requests*each, source)
	}
}

// forwardBurst emits more at once than any queue holds: what the Service says it delivered is what
// the collector has.
func forwardBurst(t *testing.T, c *collector) {
	const burst = 20_000
	to, err := otlploggrpc.New(t.Context(), otlploggrpc.WithInsecure(), otlploggrpc.WithEndpoint(c.grpc))
	require.NoError(t, err)
	s, err := telemetry.New(telemetry.WithForwardExporter(to), telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	require.NoError(t, s.Start())
	for i := range burst {
		require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{"i": i}, telemetry.WithSource("burst")))
	}
	require.NoError(t, s.Stop(t.Context()))
	forwarded := s.Stats().Forwarded
	assert.EqualValues(t, burst, forwarded.Delivered, "%+v", forwarded)
	assert.Len(t, count(c.readAll(t, "source=burst")), burst)
}

const webhookKey = "0123456789abcdef01234567"

// signedWebhooks delivers as GitHub and as senders of Standard Webhooks do.
func signedWebhooks(t *testing.T, c *collector) {
	sign := func(key, text string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	deliver := func(name, body string, headers ...string) int {
		status, _ := c.do(t, http.MethodPost, strings.TrimSuffix(c.events, "/v1/events")+"/v1/webhooks/"+name, []byte(body),
			append(headers, "Content-Type", jsonType)...)
		return status
	}
	const issue, paid = `{"action":"opened","issue":{"number":7}}`, `{"type":"invoice.paid"}`
	at := fmt.Sprint(time.Now().Unix())
	for key, want := range map[string]int{"another": http.StatusUnauthorized, "s3cret": http.StatusAccepted} {
		assert.Equal(t, want, deliver("github", issue, "X-GitHub-Event", "issues", "X-GitHub-Delivery", "d-1",
			"X-Hub-Signature-256", "sha256="+hex.EncodeToString(sign(key, issue))))
	}
	for key, want := range map[string]int{"another": http.StatusUnauthorized, webhookKey: http.StatusAccepted} {
		assert.Equal(t, want, deliver("standard", paid, "webhook-id", "msg_1", "webhook-timestamp", at,
			"webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(sign(key, "msg_1."+at+"."+paid))))
	}
	for source, want := range map[string]string{"github": "d-1 github.issues.opened", "standard": "msg_1 invoice.paid"} {
		events := c.readAll(t, "source="+source)
		require.Len(t, events, 1, source)
		assert.Equal(t, want, events[0].EventID+" "+events[0].EventType)
	}
	assert.Equal(t, 2, c.problems(t)["receiver/event signature"])
}

// do sends a request with headers, each a name and a value.
func (c *collector) do(t *testing.T, method, url string, body []byte, headers ...string) (status int, answer *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, resp
}

// problems returns how often each component had each reason to refuse something.
func (c *collector) problems(t *testing.T) map[string]int {
	t.Helper()
	var all struct {
		Problems []struct {
			Component, Reason string
			Count             int
		}
	}
	get(t, c.api+"/api/v1/problems", &all)
	counts := map[string]int{}
	for _, p := range all.Problems {
		counts[p.Component+" "+p.Reason] += p.Count
	}
	return counts
}

// handshakes asks whether it may deliver, as CloudEvents' abuse protection has it, and delivers.
func handshakes(t *testing.T, c *collector) {
	for origin, allowed := range map[string]bool{"eventgrid.azure.net": true, "evil.example": false} {
		asked, answer := c.do(t, http.MethodOptions, c.events, nil, "WebHook-Request-Origin", origin)
		delivered, _ := c.do(t, http.MethodPost, c.events, []byte(`{"specversion":"1.0","id":"1","source":"grid","type":"blob.created"}`),
			"Content-Type", "application/cloudevents+json", "Origin", origin)
		if !allowed {
			assert.Equal(t, []int{http.StatusForbidden, http.StatusForbidden}, []int{asked, delivered})
			continue
		}
		assert.Equal(t, []int{http.StatusOK, http.StatusAccepted}, []int{asked, delivered})
		assert.Equal(t, origin, answer.Header.Get("WebHook-Allowed-Origin"))
		assert.Equal(t, "*", answer.Header.Get("WebHook-Allowed-Rate"))
	}
	assert.Len(t, c.readAll(t, "source=grid"), 1)
}

// bombs are refused at the limit of a body, and the next request is taken.
func bombs(t *testing.T, c *collector) {
	zeros := make([]byte, 32<<20)
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	for coding, bomb := range map[string][]byte{
		"gzip": zipped(t, zeros), "zstd": encoder.EncodeAll(zeros, nil), "GZIP, x-gzip": zipped(t, zipped(t, zeros)),
	} {
		for _, url := range []string{c.otlp + "/v1/logs", c.events} {
			status, _ := c.do(t, http.MethodPost, url, bomb, "Content-Type", jsonType, "Content-Encoding", coding)
			assert.Equal(t, http.StatusRequestEntityTooLarge, status, "%s to %s", coding, url)
		}
	}
	require.NoError(t, encoder.Close())
	conn, err := grpc.NewClient(c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip")))
	require.NoError(t, err)
	defer conn.Close()
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(string(zeros))
	_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), plogotlp.NewExportRequestFromLogs(ld))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
	require.NoError(t, newRequest(t, "after the bombs", 1).send(t.Context(), http.DefaultClient, c.otlp))
	assert.Equal(t, 7, c.problems(t)["receiver/event body_too_large"])
}

// severities sends events whose severity is a text: sampling knows that they are errors.
func severities(t *testing.T, c *collector) {
	for _, text := range []string{"ERROR", "Critical", "warning"} {
		for _, sent := range [][2]string{
			{jsonType, fmt.Sprintf(`{"event_type":"sampled.json","metadata":{"severity":%q}}`, text)},
			{"application/cloudevents+json", fmt.Sprintf(`{"specversion":"1.0","id":%[1]q,"source":"/s","type":"sampled.ce","severitytext":%[1]q}`, text)},
		} {
			status, _ := c.post(t, sent[0], sent[1])
			assert.Equal(t, http.StatusAccepted, status)
		}
		status, _ := c.do(t, http.MethodPost, c.otlp+"/v1/logs", fmt.Appendf(nil,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"sampled.otlp","severityText":%q}]}]}]}`, text), "Content-Type", jsonType)
		assert.Equal(t, http.StatusOK, status)
	}
	kept := map[string]int{}
	for _, e := range c.readAll(t, "event_type="+queryEscape("sampled.*")) {
		kept[fmt.Sprint(e.EventType, " ", e.Metadata["severity"], " ", e.Metadata["severity_number"])]++
	}
	assert.Equal(t, map[string]int{
		"sampled.json ERROR 17": 1, "sampled.json Critical 21": 1, "sampled.ce ERROR 17": 1, "sampled.ce Critical 21": 1,
		"sampled.otlp ERROR 17": 1, "sampled.otlp Critical 21": 1,
	}, kept)
}

// nameTwice sends an attribute with the same name twice, as SDKs of .NET do: the last value counts
// in pages, filters and aggregates.
func nameTwice(t *testing.T, c *collector) {
	attribute := func(value byte) []byte {
		return field(6, append(field(1, []byte("n")), field(2, []byte{3 << 3, value})...))
	}
	record := bytes.Join([][]byte{attribute(1), attribute(2), field(12, []byte("name.twice"))}, nil)
	status, _ := c.do(t, http.MethodPost, c.otlp+"/v1/logs", inRecord(record), "Content-Type", protobufType)
	require.Equal(t, http.StatusOK, status)
	for query, found := range map[string]int{"": 1, "&data.n=2": 1, "&data.n=1": 0} {
		query = "event_type=name.twice" + query
		events := c.readAll(t, query)
		assert.Len(t, events, found, query)
		var sums struct {
			Groups []struct{ Count, Sum int }
		}
		get(t, c.api+"/api/v1/aggregate?field=data.n&functions=count,sum&"+query, &sums)
		if found == 1 {
			assert.Equal(t, map[string]any{"n": 2.0}, events[0].Data)
			assert.Equal(t, struct{ Count, Sum int }{1, 2}, sums.Groups[0])
		}
	}
}
