package promapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/promapi"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
)

// noon is when the events of the tests end.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// serve serves a store with 60 logins at shop and 30 failed orders at till, one a minute each.
func serve(t *testing.T) (server string) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	ld := plog.NewLogs()
	add := func(at time.Time, eventType, source string, severity int64, data map[string]any) {
		e := event.Event{EventID: event.NewID(), EventType: eventType, Source: source, Timestamp: at, Data: data, Metadata: map[string]any{"severity_number": severity}}
		require.NoError(t, eventlog.AppendRecord(ld, &e))
	}
	for i := range 60 {
		add(noon.Add(time.Duration(i-60)*time.Minute), "user.login", "shop", 9, map[string]any{"ms": float64(i)})
		if i%2 == 0 {
			add(noon.Add(time.Duration(i-60)*time.Minute), "order.failed", "till", 17, nil)
		}
	}
	require.NoError(t, st.Append(t.Context(), ld))
	h := promapi.New(promapi.Options{
		Engine: series.New(series.Options{Store: st, MaxScan: 1000, Budget: budget.New(64 << 20)}),
		Begin: func(_ http.ResponseWriter, r *http.Request) (context.Context, func(), error) {
			return r.Context(), func() {}, nil
		},
	})
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + promapi.Prefix
}

// ask returns the status of an answer, and its body with the data as it was sent.
func ask(t *testing.T, method, address string, form url.Values) (status int, body struct {
	Status, ErrorType, Error string
	Data                     json.RawMessage
	Warnings                 []string
},
) {
	t.Helper()
	var content io.Reader
	if method == http.MethodPost {
		content = strings.NewReader(form.Encode())
	} else {
		address += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, content)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	return resp.StatusCode, body
}

// The answers are those of Prometheus, to GET and to posted forms.
func TestCalls(t *testing.T) {
	server, at := serve(t), fmt.Sprint(noon.Unix())
	hour := url.Values{"start": {fmt.Sprint(noon.Add(-time.Hour).Unix())}, "end": {noon.Format(time.RFC3339)}}
	with := func(base url.Values, more ...string) url.Values {
		v := url.Values{}
		for name, values := range base {
			v[name] = values
		}
		for i := 0; i < len(more); i += 2 {
			v.Add(more[i], more[i+1])
		}
		return v
	}
	all := `[{"__name__":"events_total","category":"order","event_type":"order.failed","severity":"error","source":"till"},{"__name__":"events_total","category":"user","event_type":"user.login","severity":"info","source":"shop"}]`
	for _, test := range []struct {
		call string
		form url.Values
		want string
	}{
		{"query", url.Values{"query": {"1 + 1"}, "time": {at}}, `{"resultType":"scalar","result":[` + at + `,"2"]}`},
		{"query", url.Values{"query": {`sort_desc(sum by (source) (events_total))`}, "time": {at}}, `{"resultType":"vector","result":[{"metric":{"source":"shop"},"value":[` + at + `,"60"]},{"metric":{"source":"till"},"value":[` + at + `,"30"]}]}`},
		{"query", url.Values{"query": {`events_total{event_type="none"}`}, "time": {at}}, `{"resultType":"vector","result":[]}`},
		{"query_range", with(hour, "query", `sum(increase(events_total{source="till"}[30m] anchored))`, "step", "30m"), `{"resultType":"matrix","result":[{"metric":{},"values":[[1767351600,"1"],[1767353400,"15"],[` + at + `,"14"]]}]}`},
		{"series", with(hour, "match[]", "events_total"), all},
		{"series", with(hour, "match[]", `{__name__=~"events_t.*",event_type="order.failed"}`), `[` + strings.SplitAfter(all, "},")[0][1:len(strings.SplitAfter(all, "},")[0])-1] + `]`},
		{"series", with(hour, "match[]", `events_field{field="data.ms"}`), `[{"__name__":"events_field","category":"user","event_type":"user.login","field":"data.ms","severity":"info","source":"shop"}]`},
		{"labels", nil, `["__name__","category","event_type","severity","source"]`},
		{"label/event_type/values", hour, `["order.failed","user.login"]`},
		{"label/severity/values", with(hour, "match[]", `events_total{event_type="order.failed"}`), `["error"]`},
		{"label/__name__/values", nil, `["events_field","events_stored_total","events_total"]`},
		{"label/nothing/values", nil, `[]`},
		{"metadata", url.Values{"metric": {"events_stored_total"}}, `{"events_stored_total":[{"type":"counter","help":"Events that are kept, by event time.","unit":""}]}`},
		{"format_query", url.Values{"query": {"sum(events_total)by(source)"}}, `"sum by (source) (events_total)"`},
		{"rules", nil, `{"groups":[]}`},
		{"alerts", nil, `{"alerts":[]}`},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			status, body := ask(t, method, server+test.call, test.form)
			require.Equal(t, http.StatusOK, status, "%s: %s", test.call, body.Error)
			assert.Equal(t, "success", body.Status)
			assert.JSONEq(t, test.want, string(body.Data), "%s %v", test.call, test.form)
		}
	}
	_, body := ask(t, http.MethodGet, server+"query", url.Values{"query": {"events_total"}, "time": {at}, "limit": {"1"}})
	assert.Contains(t, body.Warnings, "results truncated due to limit")
	_, body = ask(t, http.MethodGet, server+"status/buildinfo", nil)
	assert.Contains(t, string(body.Data), `"version":"3.`)
}

// Errors have Prometheus's statuses and types, and name what is wrong.
func TestErrors(t *testing.T) {
	server := serve(t)
	for _, test := range []struct {
		call, form string
		status     int
		kind, text string
	}{
		{"query", "", 400, "bad_data", "query"},
		{"query", "query=sum(", 400, "bad_data", "unclosed left parenthesis"},
		{"query", "query=up&time=yesterday", 400, "bad_data", "time"},
		{"query", "query=up&time=NaN", 400, "bad_data", "time"},
		{"query", "query=up&timeout=-1", 400, "bad_data", "timeout"},
		{"query", "query=up&limit=x", 400, "bad_data", "limit"},
		{"query_range", "query=up&start=1&end=2", 400, "bad_data", "step"},
		{"query_range", "query=up&start=2&end=1&step=1", 400, "bad_data", "end"},
		{"query_range", "query=up&start=1&end=1000000&step=1", 400, "bad_data", "11000"},
		{"query_range", "query=up&start=1&end=2&step=0", 400, "bad_data", "step"},
		{"series", "", 400, "bad_data", "match[]"},
		{"series", "match[]=sum(up)", 400, "bad_data", "match[]"},
		{"format_query", "query=)", 400, "bad_data", "query"},
		{"targets", "", 404, "not_found", "not served"},
		{"label/a/b/values", "", 404, "not_found", "not served"},
	} {
		form, err := url.ParseQuery(test.form)
		require.NoError(t, err)
		status, body := ask(t, http.MethodGet, server+test.call, form)
		assert.Equal(t, test.status, status, "%s?%s", test.call, test.form)
		assert.Equal(t, "error", body.Status)
		assert.Equal(t, test.kind, body.ErrorType)
		assert.Contains(t, body.Error, test.text)
	}
	status, _ := ask(t, http.MethodPut, server+"query", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	status, body := ask(t, http.MethodPost, server+"query", url.Values{"query": {strings.Repeat(" ", 1<<20)}})
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body.Error, "too large")
}

// promtool, which ships with Prometheus, asks as it asks Prometheus.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: install it, on Debian with the package prometheus")
	}
	server := strings.TrimSuffix(serve(t), "/api/v1/")
	start, end := fmt.Sprint(noon.Add(-time.Hour).Unix()), fmt.Sprint(noon.Unix())
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"instant", "--time=" + end, server, `sum(events_total)`}, "{} => 90 @[" + end},
		{[]string{"range", "--start=" + start, "--end=" + end, "--step=30m", server, `sum(events_total)`}, "90 @[" + end},
		{[]string{"series", "--start=" + start, "--end=" + end, "--match=events_total", server}, `{__name__="events_total", category="user", event_type="user.login", severity="info", source="shop"}`},
		{[]string{"labels", "--start=" + start, "--end=" + end, server, "source"}, "till"},
	} {
		out, err := exec.CommandContext(t.Context(), promtool, append([]string{"query"}, test.args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), test.want)
	}
}
