package eventreceiver

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
)

const cloudEvent = `{"specversion":"1.0","id":"1","source":"/s","type":"a.b"}`

// otlpDoor serves OTLP in a test of its own, since the problems are known by the test's name.
func otlpDoor(t *testing.T, next consumer.Logs, use func(t *testing.T, s *server)) {
	t.Helper()
	t.Run("OTLP", func(t *testing.T) {
		s, _ := serveWithin(t, budget.New(64<<20), next, nil)
		use(t, s)
	})
}

// Every door says when the event was observed, unless the sender did: when it happened, so that the
// same request is the same event again.
func TestObserved(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	assert.Equal(t, http.StatusAccepted, c.json(`[{"event_type":"a.b"},
		{"event_type":"a.b","metadata":{"observed_timestamp":"2026-01-02T03:04:05Z"}}]`).status)
	assert.Equal(t, http.StatusAccepted, c.post([]byte(cloudEvent), "Content-Type", "application/cloudevents+json").status)
	otlpDoor(t, sink, func(t *testing.T, s *server) {
		s.mustPost(t, jsonType, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a.b"}]}]}]}`))
	})
	var observed, happened []time.Time
	for _, ld := range sink.AllLogs() {
		for ref := range eventlog.All(ld) {
			observed = append(observed, ref.Record.ObservedTimestamp().AsTime())
			happened = append(happened, ref.Timestamp())
		}
	}
	require.Len(t, observed, 4)
	happened[1] = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	assert.Equal(t, happened, observed)
}

// The severity's number follows from its text, at every door.
func TestSeverityText(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	c.json(`{"event_type":"a.b","metadata":{"severity":"ERROR"}}`)
	c.post([]byte(strings.Replace(cloudEvent, `{`, `{"severitytext":"error",`, 1)), "Content-Type", "application/cloudevents+json")
	otlpDoor(t, sink, func(t *testing.T, s *server) {
		s.mustPost(t, jsonType, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityText":"err"}]}]}]}`))
	})
	require.Len(t, sink.AllLogs(), 3)
	for _, ld := range sink.AllLogs() {
		assert.Equal(t, plog.SeverityNumberError, recordAt(ld, 0).SeverityNumber())
	}
}

// Text that is cut in the middle of a character is taken, repaired, and counted as suspicious.
func TestTextIsRepaired(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	got := c.json(`[{"event_type":"a.b","data":{"half":"\ud83d","whole":"\ud83d\ude00","` + "\xff" + `":"` + "\xc3" + `"}}, {"event_type":"a.b"}]`)
	assert.Equal(t, 2, got.Accepted, "%+v", got)
	assert.Equal(t, map[string]any{"half": "\uFFFD", "whole": "😀", "\uFFFD": "\uFFFD"}, withoutID(recordAt(sink.AllLogs()[0], 0)))
	got = c.post([]byte(strings.Replace(cloudEvent, `{`, `{"subject":"\udc00",`, 1)), "Content-Type", "application/cloudevents+json")
	assert.Equal(t, 1, got.Accepted, "%+v", got)
	assert.Equal(t, map[string]uint64{"invalid_utf8?": 2}, c.problems())

	sink.Reset()
	ld := records(2)
	recordAt(ld, 0).Attributes().PutStr("cut", "a\xf0\x9f")
	otlpDoor(t, sink, func(t *testing.T, s *server) {
		s.mustPost(t, protobufType, marshal(t, ld))
		cut, _ := recordAt(sink.AllLogs()[0], 0).Attributes().Get("cut")
		assert.Equal(t, "a\uFFFD", cut.Str())
		counts := map[string]uint64{}
		for _, r := range problems.Reports(t.Name(), nil) {
			counts[r.Reason] = r.Count
		}
		assert.Equal(t, uint64(1), counts["invalid_utf8"])
	})
}

func withoutID(record plog.LogRecord) map[string]any {
	m := record.Attributes().AsRaw()
	delete(m, "log.record.uid")
	return m
}

// Whether a name looks wrong does not depend on the names before it.
func TestEventTypeForm(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, nil)
	const right, wrong, byDefault = `{"event_type":"user.login"}`, `{"event_type":"Login"}`, `{"event_type":"log"}`
	for range 2 {
		c.json("[" + strings.Join([]string{wrong, byDefault, right, byDefault, wrong, right, wrong, byDefault}, ",") + "]")
	}
	assert.Equal(t, map[string]uint64{"event_type_form?": 6}, c.problems())
}

// Times are those of RFC 3339, of which an event can have those from 1970 to 2262.
func TestTimes(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	for text, taken := range map[string]bool{
		"2026-01-02t03:04:05.5z":    true,
		"2016-12-31T23:59:60Z":      true,
		"2262-04-11T23:47:16Z":      true,
		"2026-01-02T03:04:05,5Z":    false,
		"2026-01-02T03:04:05+24:00": false,
		"0001-01-01T00:00:00Z":      false,
		"1969-12-31T23:59:59Z":      false,
		"2262-04-12T00:00:00Z":      false,
	} {
		for pointer, r := range map[string]reply{
			"/timestamp": c.json(`{"event_type":"a.b","timestamp":"` + text + `"}`),
			"/time":      c.post([]byte(strings.Replace(cloudEvent, `{`, `{"time":"`+text+`",`, 1)), "Content-Type", "application/cloudevents+json"),
		} {
			if taken {
				assert.Equal(t, http.StatusAccepted, r.status, "%s: %+v", text, r)
				continue
			}
			require.Len(t, r.Rejected, 1, text)
			assert.Equal(t, pointer, r.Rejected[0].Pointer)
			assert.Equal(t, "invalid_value", r.Rejected[0].Reason)
		}
	}
}

// Names are checked alike at every door.
func TestNames(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, nil)
	names := []string{`a\nb`, ` `, `a\u0085`}
	for _, name := range names {
		for _, field := range []string{"event_type", "event_id", "source"} {
			body := `{"event_type":"a.b","` + field + `":"` + name + `"}`
			if field == "event_type" {
				body = `{"event_type":"` + name + `"}`
			}
			r := c.json(body)
			require.Len(t, r.Rejected, 1, body)
			assert.Equal(t, "/"+field, r.Rejected[0].Pointer)
			assert.Equal(t, "invalid_value", r.Rejected[0].Reason)
		}
	}
	otlpDoor(t, consumertest.NewNop(), func(t *testing.T, s *server) {
		for _, name := range names {
			resp, answer := s.post(t, jsonType, "", []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"`+name+`"}]}]}]}`))
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Contains(t, string(answer), "invalid_value: event_type must not")
		}
	})
}
