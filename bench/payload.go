package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// eventTypes are what the events are about, one in five each. The sampler looks closer at those of
// the category metric.
var eventTypes = []string{"user.login", "system.disk_checked", "metric.request_served", "data.order_placed", "alert.payment_failed"}

// writer makes events of a size, always the same ones.
type writer struct {
	size string // "small", "middle", "large"
	rand *rand.Rand
}

func newWriter(size string) *writer {
	return &writer{size: size, rand: rand.New(rand.NewPCG(1, 2))}
}

// requests are encoded OTLP requests, enough different ones that no two in a row are the same.
func (w *writer) requests(events int) [][]byte {
	requests := make([][]byte, max(8, 256/events))
	for i := range requests {
		requests[i] = w.request(events, eventTypes)
	}
	return requests
}

// request is one encoded OTLP request. Its events come from one service, and take the event types
// in turn.
func (w *writer) request(events int, types []string) []byte {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName("bench")
	for i := range events {
		w.fill(scope.LogRecords().AppendEmpty(), types[i%len(types)])
	}
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		panic(err) // of data made right here
	}
	return request
}

// fill writes one event: of 50 bytes in OTLP with its name and time; of 250 with seven attributes
// and a trace; or of 850 with a body too.
func (w *writer) fill(r plog.LogRecord, eventType string) {
	now := pcommon.NewTimestampFromTime(time.Now())
	r.SetEventName(eventType)
	r.SetTimestamp(now)
	r.SetObservedTimestamp(now)
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	if w.size == "small" {
		return
	}
	var trace [16]byte
	binary.LittleEndian.PutUint64(trace[:8], w.rand.Uint64())
	binary.LittleEndian.PutUint64(trace[8:], w.rand.Uint64())
	r.SetTraceID(trace)
	r.SetSpanID([8]byte(trace[4:12]))
	a := r.Attributes()
	a.EnsureCapacity(7)
	a.PutStr("http.route", "/api/v1/orders/{id}")
	a.PutInt("http.status_code", int64([]int{200, 200, 200, 201, 404, 500}[w.rand.IntN(6)]))
	a.PutDouble("duration_ms", w.rand.ExpFloat64()*20)
	a.PutStr("user.name", fmt.Sprintf("user-%d", w.rand.IntN(100_000)))
	a.PutInt("order", w.rand.Int64N(1_000_000_000))
	a.PutStr("client.address", fmt.Sprintf("10.%d.%d.%d", w.rand.IntN(256), w.rand.IntN(256), w.rand.IntN(256)))
	a.PutBool("first", w.rand.IntN(2) == 0)
	if w.size == "large" {
		r.Body().SetStr(w.text(600))
	}
}

// text is words of about as many bytes, which compress as text does.
func (w *writer) text(bytes int) string {
	words := strings.Fields("the payment of order was refused by bank because card had expired customer asked for another try later today")
	var b strings.Builder
	for b.Len() < bytes {
		b.WriteString(words[w.rand.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.String()[:bytes]
}
