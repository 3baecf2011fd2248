package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// received are the ids and types that the sink got, in order.
func received(sink *consumertest.LogsSink) (all []string) {
	for _, ld := range sink.AllLogs() {
		for e := range eventlog.All(ld) {
			all = append(all, e.EventID()+" "+e.EventType())
		}
	}
	return all
}

func TestForms(t *testing.T) {
	ce := func(id string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"/s","type":"a.b"}`
	}
	for name, tt := range map[string]struct {
		headers []string
		body    string
		want    []string
	}{
		"one":                            {[]string{"Content-Type", "application/json"}, `{"event_type":"a.b","event_id":"1"}`, []string{"1 a.b"}},
		"a list":                         {[]string{"Content-Type", "application/json; charset=utf-8"}, `[{"event_type":"a.b","event_id":"1"},{"event_type":"c.d","event_id":"2"}]`, []string{"1 a.b", "2 c.d"}},
		"lines":                          {[]string{"Content-Type", "application/x-ndjson"}, `{"event_type":"a.b","event_id":"1"}` + "\n\r\n\n" + `{"event_type":"c.d","event_id":"2"}`, []string{"1 a.b", "2 c.d"}},
		"one, after a byte order mark":   {[]string{"Content-Type", "application/json"}, "\ufeff" + `{"event_type":"a.b","event_id":"1"}`, []string{"1 a.b"}},
		"lines, after a byte order mark": {[]string{"Content-Type", "application/x-ndjson"}, "\ufeff" + `{"event_type":"a.b","event_id":"1"}` + "\n", []string{"1 a.b"}},
		"batch, after a byte order mark": {[]string{"Content-Type", "application/cloudevents-batch+json"}, "\ufeff[" + ce("1") + "]", []string{"1 a.b"}},
		"binary, JSON after a byte order mark": {
			[]string{"Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "a.b"},
			"\ufeff{}",
			[]string{"1 a.b"},
		},
		"an empty list": {[]string{"Content-Type", "application/json"}, `[]`, nil},
		"no lines":      {[]string{"Content-Type", "application/jsonl"}, "\n", nil},
		"structured":    {[]string{"Content-Type", "application/cloudevents+json; charset=UTF-8"}, ce("1"), []string{"1 a.b"}},
		"batch":         {[]string{"Content-Type", "application/cloudevents-batch+json"}, "[" + ce("1") + "," + ce("2") + "]", []string{"1 a.b", "2 a.b"}},
		"binary": {
			[]string{"Content-Type", "text/plain", "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "a.b"},
			"hello",
			[]string{"1 a.b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			c := serveEvents(t, nopSettings(), sink, nil, nil)
			r := c.post([]byte(tt.body), tt.headers...)
			assert.Equal(t, http.StatusAccepted, r.status, "%+v", r)
			assert.Equal(t, len(tt.want), r.Accepted)
			assert.Empty(t, r.Rejected)
			assert.NotNil(t, r.Rejected)
			assert.Equal(t, tt.want, received(sink))
			var ids []string
			for _, one := range tt.want {
				id, _, _ := strings.Cut(one, " ")
				ids = append(ids, id)
			}
			assert.ElementsMatch(t, ids, r.IDs)
		})
	}
}

func TestCompression(t *testing.T) {
	body := []byte(`{"event_type":"a.b","event_id":"1"}`)
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer encoder.Close()
	for coding, compressed := range map[string][]byte{"gzip": zipped(t, body), "zstd": encoder.EncodeAll(body, nil)} {
		t.Run(coding, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			c := serveEvents(t, nopSettings(), sink, nil, nil)
			r := c.post(compressed, "Content-Type", jsonType, "Content-Encoding", coding)
			assert.Equal(t, http.StatusAccepted, r.status, coding)
			assert.Equal(t, []string{"1 a.b"}, received(sink))
			for bad, want := range map[string]int{coding: http.StatusBadRequest, "rot13": http.StatusUnsupportedMediaType} {
				r = c.post(body, "Content-Type", jsonType, "Content-Encoding", bad)
				assert.Equal(t, want, r.status, bad)
			}
			assert.Equal(t, map[string]uint64{"encoding": 2}, c.problems())
		})
	}
}

// The good events of a request are kept, and the others named.
func TestPartly(t *testing.T) {
	const body = `[{"event_type":"a.b","event_id":"1"},{"event_id":"2"},{"event_type":"c.d","event_id":"3"},{"event_type":"e.f","data":{"x":[1,1e999]}}]`
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	r := c.json(body)
	assert.Equal(t, http.StatusAccepted, r.status)
	assert.Equal(t, 2, r.Accepted)
	assert.Equal(t, []string{"1", "3"}, r.IDs)
	require.Len(t, r.Rejected, 2)
	assert.Equal(t, "1 /1/event_type missing_field", fmt.Sprint(r.Rejected[0].Index, " ", r.Rejected[0].Pointer, " ", r.Rejected[0].Reason))
	assert.Equal(t, "3 /3/data/x/1 invalid_value", fmt.Sprint(r.Rejected[1].Index, " ", r.Rejected[1].Pointer, " ", r.Rejected[1].Reason))
	assert.Equal(t, []string{"1 a.b", "3 c.d"}, received(sink))
	assert.Equal(t, map[string]uint64{"missing_field": 1, "invalid_value": 1}, c.problems())
	example := problems.Reports(c.instance, nil)[1].Examples[0]
	assert.Equal(t, "/1/event_type", example.Pointer)
	assert.Equal(t, "2", example.EventID)
	assert.JSONEq(t, `{"event_id":"2"}`, example.Value)

	t.Run("all or nothing", func(t *testing.T) {
		sink := new(consumertest.LogsSink)
		c := serveEvents(t, nopSettings(), sink, map[string]any{"all_or_nothing": true}, nil)
		r := c.json(body)
		assert.Equal(t, http.StatusBadRequest, r.status)
		assert.Zero(t, r.Accepted)
		assert.Empty(t, r.IDs)
		assert.Len(t, r.Rejected, 2)
		assert.Empty(t, received(sink))
		assert.Equal(t, map[string]uint64{"missing_field": 1, "invalid_value": 1, "batch": 2}, c.problems())
		assert.Equal(t, http.StatusAccepted, c.json(`[{"event_type":"a.b"},{"event_type":"c.d"}]`).status)
	})
	t.Run("nothing", func(t *testing.T) {
		sink := new(consumertest.LogsSink)
		c := serveEvents(t, nopSettings(), sink, nil, nil)
		for _, body := range []string{`{}`, `[{},5]`, `{"event_type":"a.b","data":{"x":1e999}}`} {
			r := c.json(body)
			assert.Equal(t, http.StatusBadRequest, r.status, body)
			assert.NotEmpty(t, r.Rejected)
		}
		assert.Empty(t, sink.AllLogs())
	})
	t.Run("not JSON", func(t *testing.T) {
		sink := new(consumertest.LogsSink)
		c := serveEvents(t, nopSettings(), sink, nil, nil)
		r := c.json(`[{"event_type":"a.b"},{"event_type":"c.`)
		assert.Equal(t, http.StatusBadRequest, r.status)
		require.Len(t, r.Rejected, 1)
		assert.Equal(t, 1, r.Rejected[0].Index)
		assert.Empty(t, sink.AllLogs(), "half a request is none")
		assert.Equal(t, map[string]uint64{"malformed": 1}, c.problems())
		assert.Regexp(t, `^\{"event_type":"c\.$`, problems.Reports(c.instance, nil)[0].Examples[0].Value)
		r = c.post([]byte(`{"specversion":"1.0"}`), "Content-Type", typeBatch)
		assert.Equal(t, http.StatusBadRequest, r.status)
	})
}

// What a later component refuses by name is in the same list.
func TestRefusedLater(t *testing.T) {
	refused := &eventlog.Refused{Total: 3, Records: []eventlog.Refusal{{Index: 1, EventID: "3", Reason: "too_large", Detail: "much too large"}}}
	c := serveEvents(t, nopSettings(), answering(t, refused), nil, nil)
	r := c.json(`[{"event_type":"a.b","event_id":"1"},{},{"event_type":"a.b","event_id":"3"},{"event_type":"a.b","event_id":"4"},5]`)
	assert.Equal(t, http.StatusAccepted, r.status)
	assert.Equal(t, []string{"1", "4"}, r.IDs)
	var got []string
	for _, one := range r.Rejected {
		got = append(got, fmt.Sprint(one.Index, one.Pointer, " ", one.Reason))
	}
	assert.Equal(t, []string{"1/1/event_type missing_field", "2/2 too_large", "4/4 wrong_kind"}, got)

	refused.Records[0].Index, refused.Total = 0, 1
	r = c.json(`{"event_type":"a.b"}`)
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Equal(t, "too_large", r.Rejected[0].Reason)
}

// What the next component answers decides whether the sender tries again.
func TestEventsAnswers(t *testing.T) {
	overloaded, err := status.New(codes.Unavailable, "the buffer is full").
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * time.Millisecond)})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		err        error
		status     int
		retryAfter string
	}{
		"plain":       {errors.New("disk is full"), http.StatusServiceUnavailable, "1"},
		"permanent":   {consumererror.NewPermanent(errors.New("no")), http.StatusInternalServerError, ""},
		"overloaded":  {overloaded.Err(), http.StatusServiceUnavailable, "3"},
		"exhausted":   {status.Error(codes.ResourceExhausted, "no"), http.StatusTooManyRequests, "1"},
		"invalid":     {status.Error(codes.InvalidArgument, "no"), http.StatusBadRequest, ""},
		"of two":      {errors.Join(refuse(1, "", "a.b", "too_large"), errors.New("disk is full")), http.StatusServiceUnavailable, "1"},
		"forbidden":   {status.Error(codes.PermissionDenied, "no"), http.StatusForbidden, ""},
		"who are you": {status.Error(codes.Unauthenticated, "no"), http.StatusUnauthorized, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := serveEvents(t, nopSettings(), answering(t, tt.err), nil, nil)
			r := c.json(`{"event_type":"a.b"}`)
			assert.Equal(t, tt.status, r.status)
			assert.Equal(t, tt.retryAfter, r.header.Get("Retry-After"))
		})
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, nil)
	event := []byte(`{"event_type":"a.b"}`)
	for _, contentType := range []string{
		"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/cloudevents+avro", "application/cloudevents", "no type",
	} {
		r := c.post(event, "Content-Type", contentType)
		assert.Equal(t, http.StatusUnsupportedMediaType, r.status, contentType)
	}
	assert.Equal(t, http.StatusNotFound, c.do(http.MethodPost, strings.TrimSuffix(c.url, "s"), event, "Content-Type", jsonType).status)
	r := c.do(http.MethodGet, c.url, nil)
	assert.Equal(t, http.StatusMethodNotAllowed, r.status)
	assert.Equal(t, http.MethodPost, r.header.Get("Allow"))
	assert.Equal(t, map[string]uint64{"media_type": 7, "path": 1, "method": 1}, c.problems())
}

// Each limit has its answer, and a smaller one its key.
func TestEventsLimits(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, map[string]any{
		"max_request_body_size": 1000,
		"limits":                map[string]any{"max_attributes": 3, "max_depth": 2, "max_string_bytes": 10},
	}, map[string]any{"max_events": 2})
	for body, reason := range map[string]string{
		`{"event_type":"a.b","data":{"a":1,"b":{"c":2,"d":3}}}`: "too_many_attributes",
		`{"event_type":"a.b","data":{"a":{"b":{"c":1}}}}`:       "",
		`{"event_type":"a.b","data":{"a":[[[1]]]}}`:             "too_deep",
		`{"event_type":"a.b","data":{"a":"0123456789a"}}`:       "string_too_long",
	} {
		r := c.json(body)
		if reason == "" {
			assert.Equal(t, http.StatusAccepted, r.status, body)
			continue
		}
		assert.Equal(t, http.StatusBadRequest, r.status, body)
		assert.Equal(t, reason, r.Rejected[0].Reason)
	}
	three := strings.Repeat(`{"event_type":"a.b"}`+"\n", 3)
	sink.Reset()
	assert.Equal(t, http.StatusRequestEntityTooLarge, c.post([]byte(three), "Content-Type", typeLines).status)
	assert.Equal(t, http.StatusRequestEntityTooLarge, c.json("["+strings.ReplaceAll(strings.TrimSpace(three), "\n", ",")+"]").status)
	large := []byte(`{"event_type":"a.b"` + strings.Repeat(" ", 1000) + "}")
	assert.Equal(t, http.StatusRequestEntityTooLarge, c.post(large, "Content-Type", jsonType).status)
	assert.Equal(t, http.StatusRequestEntityTooLarge, c.post(zipped(t, large), "Content-Type", jsonType, "Content-Encoding", "gzip").status)
	assert.Empty(t, sink.AllLogs())
	assert.EqualValues(t, 2, c.problems()["too_many_events"])
	assert.EqualValues(t, 2, c.problems()["body_too_large"])
}

// As deep, and as many, as a body can hold: an answer, and nothing else happens.
func TestEventsNestedToTheLimit(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, nil)
	for name, body := range map[string][]byte{
		"lists":        bytes.Repeat([]byte("["), defaultEventsBody),
		"objects":      bytes.Repeat([]byte(`{"a":`), defaultEventsBody/5),
		"data":         append([]byte(`{"event_type":"a.b","data":`), bytes.Repeat([]byte(`{"a":`), defaultEventsBody/5-10)...),
		"many values":  append(append([]byte("[1"), bytes.Repeat([]byte(",1"), defaultEventsBody/2-2)...), ']'),
		"many lines":   bytes.Repeat([]byte("1\n"), defaultEventsBody/2),
		"a long digit": append([]byte(`{"event_type":"a.b","data":{"x":`), append(bytes.Repeat([]byte("9"), defaultEventsBody-100), "}}"...)...),
	} {
		for _, contentType := range []string{jsonType, typeLines, typeStructured, typeBatch} {
			r := c.post(body, "Content-Type", contentType)
			assert.GreaterOrEqual(t, r.status, 400, "%s as %s", name, contentType)
			assert.Less(t, r.status, 500, "%s as %s", name, contentType)
		}
	}
}

type tokens struct{ component.Component }

func (tokens) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	if len(sources["Authorization"]) == 1 && sources["Authorization"][0] == "Bearer open" {
		return ctx, nil
	}
	return ctx, errors.New("who are you")
}

func TestAuthentication(t *testing.T) {
	id := component.MustNewID("tokens")
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), map[string]any{"auth": map[string]any{"authenticator": "tokens"}}, nil,
		map[component.ID]component.Component{id: tokens{}})
	assert.Equal(t, http.StatusUnauthorized, c.json(`{"event_type":"a.b"}`).status)
	assert.Equal(t, map[string]uint64{"unauthorized": 1}, c.problems())
	r := c.post([]byte(`{"event_type":"a.b"}`), "Content-Type", jsonType, "Authorization", "Bearer open")
	assert.Equal(t, http.StatusAccepted, r.status)
}

// A parameter that the authenticator reads is none of ours.
func TestAuthenticationByParameter(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(),
		map[string]any{"auth": map[string]any{"authenticator": "tokens", "request_params": []any{"Authorization"}}}, nil,
		map[component.ID]component.Component{component.MustNewID("tokens"): tokens{}})
	r := c.do(http.MethodPost, c.url+"?Authorization=Bearer+open", []byte(`{"event_type":"a.b"}`), "Content-Type", jsonType)
	assert.Equal(t, http.StatusAccepted, r.status)
}

// Pages of other sites send events where the configuration names them, and their browsers ask
// first.
func TestCORS(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), map[string]any{"cors": map[string]any{"allowed_origins": []string{"https://shop.example.com"}}}, nil)
	for origin, allowed := range map[string]string{"https://shop.example.com": "https://shop.example.com", "https://other.example.com": ""} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, c.url, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", http.MethodPost)
		const headers = "authorization,ce-any,content-type,traceparent"
		req.Header.Set("Access-Control-Request-Headers", headers)
		resp, err := c.client.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, allowed, resp.Header.Get("Access-Control-Allow-Origin"))
		if allowed != "" {
			assert.Equal(t, headers, resp.Header.Get("Access-Control-Allow-Headers"))
		}
	}
	assert.Empty(t, c.problems(), "a question is no problem")
}

// What is legal and looks wrong is taken and counted, whatever the protocol.
func TestSuspicious(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	c := serveEvents(t, set, consumertest.NewNop(), nil, map[string]any{"problems": map[string]any{"past": "1h", "future": "1m"}})
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	r := c.json(`[{"event_type":"a.b","timestamp":"` + at(-2*time.Hour) + `"},{"event_type":"a.b","timestamp":"` + at(time.Hour) + `"},
		{"event_type":"a.b","timestamp":"` + at(-time.Minute) + `"},{"event_type":"Login"},{"event_type":"login"},{"event_type":"user..login"},{"event_type":"a.b-c_d.0"},{"x":1}]`)
	assert.Equal(t, 7, r.Accepted)
	assert.Equal(t, map[string]uint64{"timestamp_past?": 1, "timestamp_future?": 1, "event_type_form?": 3, "unknown_field": 1}, c.problems())
	for _, r := range problems.Reports(c.instance, nil)[1:3] {
		assert.Regexp(t, `^the event's time is 20..-..-..T..:..:..Z, `, r.Examples[0].Detail)
	}
	assert.Equal(t, map[string]int64{"timestamp_past": 1, "timestamp_future": 1, "event_type_form": 3}, counted(t, tel, "suspicious_events"))
	assert.Equal(t, map[string]int64{"unknown_field": 1}, counted(t, tel, "refused_events"))
	c.post(nil, "Content-Type", "text/plain")
	assert.Equal(t, map[string]int64{"media_type": 1}, counted(t, tel, "refused_requests"))
	accepted, err := tel.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	point := accepted.Data.(metricdata.Sum[int64]).DataPoints[0]
	id, _ := point.Attributes.Value("receiver")
	assert.Equal(t, "event", id.AsString())
	assert.EqualValues(t, 7, point.Value)

	c.t.Run("OTLP", func(t *testing.T) {
		ld := plog.NewLogs()
		appendEvent(ld, "Login")
		appendEvent(ld, "")
		set := nopSettings()
		cfg := createDefaultConfig().(*Config)
		canonical, err := newCanonicalizer(set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		set.Resource.Attributes().PutStr("service.instance.id", t.Name())
		canonical.set = set
		canonical.open()
		defer canonical.close()
		require.NoError(t, canonical.consumeLogs(t.Context(), ld))
		got := map[string]uint64{}
		for _, r := range problems.Reports(t.Name(), nil) {
			got[r.Reason] = r.Count
		}
		assert.Equal(t, map[string]uint64{"event_type_form": 1, "timestamp_past": 2}, got)
	})
}

func TestRedact(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, map[string]any{"problems": map[string]any{"redact": true, "keep": 2}})
	for range 5 {
		c.json(`{"event_type":"a.b","timestamp":"secret"}`)
	}
	r := problems.Reports(c.instance, nil)[0]
	assert.EqualValues(t, 5, r.Count)
	require.Len(t, r.Examples, 2)
	assert.Empty(t, r.Examples[0].Value+r.Examples[0].Detail)
	assert.Equal(t, "/timestamp", r.Examples[0].Pointer)
}

// Without OTLP, and next to it, the receiver starts all of its ports or none.
func TestEventsPortInUse(t *testing.T) {
	c := serveEvents(t, nopSettings(), consumertest.NewNop(), nil, nil)
	taken := strings.TrimSuffix(strings.TrimPrefix(c.url, "http://"), "/v1/events")
	grpc, http := freeAddr(t), freeAddr(t)
	cfg := configFor(t, grpc, http, map[string]any{"protocols": map[string]any{"events": map[string]any{"endpoint": taken}}})
	rcv, err := NewFactory().CreateLogs(t.Context(), nopSettings(), cfg, consumertest.NewNop())
	require.NoError(t, err)
	assert.ErrorContains(t, rcv.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
	require.NoError(t, rcv.Shutdown(t.Context()))
	serve(t, nopSettings(), consumertest.NewNop(), nil)
	assert.Equal(t, metadata.Type, NewFactory().Type())
}
