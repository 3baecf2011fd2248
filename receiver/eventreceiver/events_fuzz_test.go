package eventreceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/eventlog"
)

// Whatever a body is, each event in it is taken or named, and what is taken has an id and a record.
func FuzzDecode(f *testing.F) {
	forms := []form{formJSON, formLines, formStructured, formBatch, formBinary}
	const event, ce = `{"event_type":"a.b","event_id":"1"}`, `{"specversion":"1.0","id":"1","source":"/s","type":"a.b"}`
	for i, body := range []string{"[" + event + ",{}," + event + "]", event + "\n5\n" + event, ce, "[" + ce + "," + event + "]", "text"} {
		f.Add(uint8(i), []byte(body))
	}
	limits := defaultEvents().Limits
	const maxEvents = 5
	canonical := &canonicalizer{defaults: eventlog.Defaults{EventType: "log", SourceID: "test"}}
	s := &eventsServer{cfg: &EventsConfig{Limits: limits}, canonical: canonical}
	s.door = newDoor(canonical, maxEvents)
	header := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Ce-Type": {"a.b"}, "Content-Type": {"application/json"}}
	read := newReaders(limits)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		req := s.decode(forms[int(which)%len(forms)], read, header, body)
		if req == nil {
			return
		}
		require.Equal(t, req.count, len(req.ids)+len(req.rejected))
		require.Len(t, req.places, len(req.ids))
		require.LessOrEqual(t, req.count, maxEvents)
		var ids []string
		for e := range eventlog.All(req.batch.Logs) {
			ids = append(ids, e.EventID())
		}
		require.Equal(t, req.ids, ids)
		require.Nil(t, eventlog.Canonicalize(req.batch.Logs, s.canonical.defaults), "nothing of it is too deep")
	})
}
