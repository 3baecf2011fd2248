package eventreceiver

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

const fuzzedEvents = 5

// fuzzed is a server that takes fuzzedEvents at once, and its readers.
func fuzzed() (*eventsServer, *readers) {
	limits := defaultEvents().Limits
	canonical := &canonicalizer{defaults: eventlog.Defaults{EventType: "log", SourceID: "test"}}
	s := &eventsServer{cfg: &EventsConfig{Limits: limits}, canonical: canonical}
	s.door = newDoor(canonical, fuzzedEvents)
	return s, newReaders(limits)
}

// checkDecoded makes sure that each event was taken or named, and that what was taken has an id and
// a record.
func checkDecoded(t *testing.T, s *eventsServer, req *request) {
	if req == nil {
		return
	}
	require.Equal(t, req.count, len(req.ids)+len(req.rejected))
	require.Len(t, req.places, len(req.ids))
	require.LessOrEqual(t, req.count, fuzzedEvents)
	var ids []string
	for e := range eventlog.All(req.batch.Logs) {
		ids = append(ids, e.EventID())
	}
	require.Equal(t, req.ids, ids)
	require.Nil(t, eventlog.Canonicalize(context.Background(), req.batch.Logs, s.canonical.defaults, nil), "nothing of it is too deep")
}

// Whatever a body is, each event in it is taken or named, and what is taken has an id and a record.
func FuzzDecode(f *testing.F) {
	forms := []form{formJSON, formLines, formStructured, formBatch, formBinary}
	const event, ce = `{"event_type":"a.b","event_id":"1"}`, `{"specversion":"1.0","id":"1","source":"/s","type":"a.b"}`
	for i, body := range []string{"[" + event + ",{}," + event + "]", event + "\n5\n" + event, ce, "[" + ce + "," + event + "]", "text"} {
		f.Add(uint8(i), []byte(body))
	}
	s, read := fuzzed()
	header := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Ce-Type": {"a.b"}, "Content-Type": {"application/json"}}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		req := s.decode(&input{form: forms[int(which)%len(forms)], header: header}, read, body)
		checkDecoded(t, s, req)
	})
}

// Whatever the parameters and the body of a sender are that cannot be told what to send.
func FuzzMapped(f *testing.F) {
	forms := []form{formJSON, formLines, formFields}
	const body = `{"type":"a.b","id":5,"at":1767323045.5,"x":[{"type":"c.d"},null,{}]}`
	f.Add("event_type=a.b&source=s", uint8(0), []byte(body))
	f.Add("event_type_from=body:/type&id_from=body:/id&timestamp_from=body:/at&id_from=header:X-Id", uint8(0), []byte(body))
	f.Add("event_type=a.b&event_type_from=body:/type&split=/x", uint8(0), []byte(body))
	f.Add("event_type=a.b&split=&id=7", uint8(0), []byte("[1,2,{}]"))
	f.Add("event_type_from=header:X-Id&event_type_prefix=p.", uint8(1), []byte(body+"\n"+body))
	f.Add("event_type_from=body:/type&source_from=body:/tag/1", uint8(2), []byte("type=a.b&tag=a&tag=b"))
	s, read := fuzzed()
	header := http.Header{"X-Id": {"1"}}
	f.Fuzz(func(t *testing.T, rawQuery string, which uint8, body []byte) {
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			return
		}
		mapping, err := webhook.FromQuery(query)
		if err != nil {
			return
		}
		in := &input{form: forms[int(which)%len(forms)], header: header, mapping: mapping}
		require.GreaterOrEqual(t, s.decodedSize(in, body), int64(len(body)))
		checkDecoded(t, s, s.decode(in, read, body))
	})
}
