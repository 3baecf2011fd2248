package eventreceiver

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// Whatever the transport, the next consumer gets canonical records.
func TestCanonical(t *testing.T) {
	sent := plog.NewLogs()
	named := appendEvent(sent, "")
	named.Attributes().PutStr("event.name", "user.login")
	named.Attributes().PutStr("log.record.uid", "event-1")
	named.SetTimestamp(1_700_000_000_000_000_000)
	bare := appendEvent(sent, "")
	bare.SetTimestamp(0)
	bare.Body().SetStr("just a line")
	bare.SetObservedTimestamp(1_700_000_001_000_000_000)

	transports := map[string]func(*server, *testing.T){
		"gRPC":          func(s *server, t *testing.T) { require.NoError(t, s.export(t, sent)) },
		"HTTP protobuf": func(s *server, t *testing.T) { s.mustPost(t, protobufType, marshal(t, sent)) },
		"HTTP JSON": func(s *server, t *testing.T) {
			body, err := plogotlp.NewExportRequestFromLogs(sent).MarshalJSON()
			require.NoError(t, err)
			s.mustPost(t, jsonType, body)
		},
	}
	for name, send := range transports {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			send(serve(t, nopSettings(), sink, map[string]any{"source_id": "edge-7", "default_event_type": "unnamed"}), t)

			require.Len(t, sink.AllLogs(), 1)
			got := sink.AllLogs()[0]
			require.Equal(t, 2, got.LogRecordCount())
			scope := got.ResourceLogs().At(0).ScopeLogs().At(0)
			assert.Equal(t, "edge-7", scope.Scope().Name(), "the source of records that name none")

			first, second := recordAt(got, 0), recordAt(got, 1)
			assert.Equal(t, "user.login", first.EventName())
			assert.Equal(t, map[string]any{"log.record.uid": "event-1"}, first.Attributes().AsRaw())
			assert.Equal(t, named.Timestamp(), first.Timestamp())

			assert.Equal(t, "unnamed", second.EventName())
			assert.Equal(t, "just a line", second.Body().Str())
			assert.Equal(t, bare.ObservedTimestamp(), second.Timestamp())
			uid, ok := second.Attributes().Get("log.record.uid")
			require.True(t, ok)
			assert.Len(t, uid.Str(), 36, "a UUID")

			again := plog.NewLogs()
			got.CopyTo(again)
			assert.Nil(t, eventlog.Canonicalize(context.Background(), again, eventlog.Defaults{EventType: "another", SourceID: "another"}, nil))
			assert.Equal(t, got, again, "what is canonical stays as it is")
		})
	}
}

// What the next consumer answers decides whether the sender tries again.
func TestAnswers(t *testing.T) {
	overloaded, err := status.New(codes.Unavailable, "the buffer is full").
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)})
	require.NoError(t, err)
	tests := []struct {
		name       string
		answer     error
		http       int
		grpc       codes.Code
		retryAfter string
		message    string
	}{
		{name: "stored", http: http.StatusOK, grpc: codes.OK},
		{
			name: "plain error: try again", answer: errors.New("disk is full"),
			http: http.StatusServiceUnavailable, grpc: codes.Unavailable, message: "disk is full",
		},
		{
			name: "permanent error: do not", answer: consumererror.NewPermanent(errors.New("cannot be encoded")),
			http: http.StatusInternalServerError, grpc: codes.Internal, message: "cannot be encoded",
		},
		{
			name: "records refused: do not", answer: refuse(1, "event-1", "user.upload", "too_large"),
			http: http.StatusBadRequest, grpc: codes.InvalidArgument, message: "user.upload",
		},
		{
			name: "overloaded: try again, but later", answer: overloaded.Err(),
			http: http.StatusServiceUnavailable, grpc: codes.Unavailable, retryAfter: "3", message: "the buffer is full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, nopSettings(), answering(t, tt.answer), nil)
			ld := plog.NewLogs()
			appendEvent(ld, "user.upload")

			resp, message := s.postLogs(t, ld)
			assert.Equal(t, tt.http, resp.StatusCode)
			assert.Equal(t, tt.retryAfter, resp.Header.Get("Retry-After"))
			assert.Contains(t, message, tt.message)

			st, ok := status.FromError(s.export(t, ld))
			require.True(t, ok)
			assert.Equal(t, tt.grpc, st.Code())
			assert.Contains(t, st.Message(), tt.message)
		})
	}
}

// One record that is nested too deeply costs the others nothing.
func TestTooDeep(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	sink := new(consumertest.LogsSink)
	s := serve(t, set, sink, nil)

	resp, answer := s.post(t, protobufType, "", marshal(t, deepAt(5, 1, 3)))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	partial := plogotlp.NewExportResponse()
	require.NoError(t, partial.UnmarshalProto(answer))
	overGRPC, err := plogotlp.NewGRPCClient(s.dial(t)).Export(t.Context(), plogotlp.NewExportRequestFromLogs(deepAt(5, 1, 3)))
	require.NoError(t, err)
	for _, response := range []plogotlp.ExportResponse{partial, overGRPC} {
		assert.EqualValues(t, 2, response.PartialSuccess().RejectedLogRecords())
		message := response.PartialSuccess().ErrorMessage()
		assert.Contains(t, message, "2 of 5 records refused")
		assert.Contains(t, message, `record 1 (event type "e.1"`)
		assert.Contains(t, message, "too_deep")
	}
	assert.Equal(t, 6, sink.LogRecordCount(), "the others are passed on")
	sink.Reset()

	resp, _ = s.postLogs(t, deepAt(1, 0))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Empty(t, sink.AllLogs(), "nothing is passed on when nothing is left")

	assert.Equal(t, map[string]int64{"too_deep": 5}, counted(t, tel, "refused_events"))
	for metric, want := range map[string]int64{"accepted": 6, "refused": 5} {
		m, err := tel.GetMetric("otelcol_receiver_" + metric + "_log_records")
		require.NoError(t, err)
		var got int64
		for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
			got += point.Value
		}
		assert.Equal(t, want, got, metric)
	}
}

// What a later component refuses by name is in the answer too, in JSON as in protobuf. The
// Collector's metrics have the others as accepted.
func TestPartialSuccess(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	s := serve(t, set, answering(t, refuse(3, "event-1", "user.upload", "too_large")), nil)
	ld := plog.NewLogs()
	for range 3 {
		appendEvent(ld, "user.upload")
	}
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalJSON()
	require.NoError(t, err)
	resp, answer := s.post(t, jsonType, "", body)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, string(answer), `"rejectedLogRecords":"1"`)
	assert.Contains(t, string(answer), "1 of 3 records refused, the other 2 were taken")
	for name, records := range map[string]int64{"accepted": 2, "refused": 1, "failed": 0} {
		m, err := tel.GetMetric("otelcol_receiver_" + name + "_log_records")
		if assert.NoError(t, err) {
			assert.Equal(t, records, m.Data.(metricdata.Sum[int64]).DataPoints[0].Value, name)
		}
	}

	resp, answer = s.post(t, jsonType, "", []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a.b"}]}]}]}`))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "all are refused: %s", answer)
}

// Where records were refused here and the next consumer is not content either, its answer decides.
func TestTooDeepAndAnswer(t *testing.T) {
	plain := errors.New("disk is full")
	permanent := consumererror.NewPermanent(errors.New("cannot be encoded"))
	both := errors.Join(refuse(1, "", "e.2", "too_large"), plain)
	for name, answer := range map[string]error{"plain": plain, "permanent": permanent, "of two consumers": both} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, answer, consume(t, deepAt(5, 1), answering(t, answer)))
		})
	}

	t.Run("refused more", func(t *testing.T) {
		// Records 1 and 3 stay here. The next consumer sees 0, 2, 4 and counts them 0, 1, 2.
		answer := refuse(3, "", "e.2", "too_large")
		answer.Records[0].Index = 1
		answer.Records = append(answer.Records, eventlog.Refusal{Index: 2, EventType: "e.4", Reason: "too_large"})
		err := consume(t, deepAt(5, 1, 3), answering(t, answer))

		var refused *eventlog.Refused
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, 5, refused.Total)
		var got []string
		for _, r := range refused.Records {
			assert.Equal(t, r.EventType, "e."+string(rune('0'+r.Index)))
			got = append(got, r.EventType+" "+r.Reason)
		}
		assert.Equal(t, []string{"e.1 too_deep", "e.2 too_large", "e.3 too_deep", "e.4 too_large"}, got)
		assert.True(t, consumererror.IsPermanent(err))
	})
}

// The Collector's metrics tell several receivers apart.
func TestInstances(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.ID = component.NewIDWithName(metadata.Type, "edge")
	s := serve(t, set, consumertest.NewNop(), nil)
	ld := plog.NewLogs()
	appendEvent(ld, "user.login")
	s.mustPost(t, protobufType, marshal(t, ld))

	accepted, err := tel.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	id, _ := accepted.Data.(metricdata.Sum[int64]).DataPoints[0].Attributes.Value("receiver")
	assert.Equal(t, "event/edge", id.AsString())
}

// The API of the same collector learns where to send events to, and can send a test event where
// anybody could.
func TestKnownToTheAPI(t *testing.T) {
	for name, tt := range map[string]struct {
		auth  bool
		takes bool
	}{"open": {false, true}, "with authentication": {true, false}} {
		t.Run(name, func(t *testing.T) {
			set := nopSettings()
			instance := t.Name()
			set.Resource.Attributes().PutStr("service.instance.id", instance)
			section := map[string]any{}
			if tt.auth {
				section["auth"] = map[string]any{"authenticator": "tokens"}
			}
			sink := new(consumertest.LogsSink)
			serveEvents(t, set, sink, section, nil, map[component.ID]component.Component{component.MustNewID("tokens"): tokens{}})

			known := receivers.All(instance, nil)
			require.Len(t, known, 1)
			assert.Regexp(t, `^http://127\.0\.0\.1:\d+/v1/events$`, known[0].Events)
			assert.Empty(t, known[0].OTLP)
			assert.Equal(t, tt.takes, known[0].TakesTest)
			if tt.takes {
				ld := plog.NewLogs()
				appendEvent(ld, "test.event")
				require.NoError(t, known[0].Send(t.Context(), ld))
				assert.Equal(t, 1, sink.LogRecordCount())
			}
		})
	}
}

func (s *server) mustPost(t *testing.T, contentType string, body []byte) {
	t.Helper()
	resp, answer := s.post(t, contentType, "", body)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", answer)
}

// consume hands ld to what stands between the otlp receiver and next.
func consume(t *testing.T, ld plog.Logs, next consumer.Logs) error {
	t.Helper()
	canonical, err := newCanonicalizer(nopSettings(), createDefaultConfig().(*Config), next)
	require.NoError(t, err)
	return canonical.consumeLogs(t.Context(), ld)
}

func answering(t *testing.T, err error) consumer.Logs {
	t.Helper()
	next, newErr := consumer.NewLogs(func(context.Context, plog.Logs) error { return err })
	require.NoError(t, newErr)
	return next
}

func refuse(total int, id, eventType, reason string) *eventlog.Refused {
	return &eventlog.Refused{Total: total, Records: []eventlog.Refusal{{EventID: id, EventType: eventType, Reason: reason}}}
}

// deepAt returns n records of the types e.0, e.1 …; those with the given places are nested deeper
// than event.MaxDepth.
func deepAt(n int, deep ...int) plog.Logs {
	ld := plog.NewLogs()
	for i := range n {
		appendEvent(ld, "e."+string(rune('0'+i)))
	}
	for _, i := range deep {
		nested := recordAt(ld, i).Attributes().PutEmptySlice("nested")
		for range event.MaxDepth {
			nested = nested.AppendEmpty().SetEmptySlice()
		}
	}
	return ld
}

func appendEvent(ld plog.Logs, eventType string) plog.LogRecord {
	if ld.ResourceLogs().Len() == 0 {
		ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	}
	rec := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	rec.SetEventName(eventType)
	rec.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_700_000_000, 0)))
	return rec
}

func recordAt(ld plog.Logs, i int) plog.LogRecord {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i)
}
