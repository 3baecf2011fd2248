package api

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/column"
	"github.com/isbl/telemetry/internal/event"
)

// rows are the fields of an answer in CSV, as another program reads them.
func rows(t *testing.T, a answer) [][]string {
	t.Helper()
	require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
	require.Equal(t, "text/csv", a.Header.Get("Content-Type"))
	all, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
	require.NoError(t, err, "%s", a.body)
	return all
}

func TestCSV(t *testing.T) {
	c := newClient(t, Options{})
	e := event.Event{
		EventID: "id-1", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), EventType: "user.login", Source: "shop, Oslo",
		Data: map[string]any{
			"user": map[string]any{"id": int64(1<<53 + 1)}, "quote": "say \"hi\",\nthen leave", "formula": "=1+1",
			"negative": int64(-5), "none": nil, "raw": []byte{1, 2}, "list": []any{"a", int64(1)}, "f": 1.0, "ok": true,
		},
		Metadata: map[string]any{"severity": "WARN", "severity_number": int64(13), "batch": int64(7)},
	}
	fill(t, c.store, e)

	a := c.get("/api/v1/events?format=csv")
	all := rows(t, a)
	require.Len(t, all, 2)
	assert.Equal(t, column.Default, all[0])
	assert.Equal(t, []string{"id-1", "2026-01-02T03:04:05.000000006Z", "user.login", "shop, Oslo"}, all[1][:4])
	assert.JSONEq(t, string(event.AppendValue(nil, e.Data)), all[1][4])
	assert.Contains(t, all[1][5], `"severity":"WARN"`)
	assert.Equal(t, 2, bytes.Count(a.body, []byte("\r\n")), "RFC 4180 ends each row with CRLF")
	assert.Equal(t, "false", a.Header.Get("Event-More"))

	a = c.get("/api/v1/events?format=csv&columns=data.user.id,data.quote,data.formula,data.negative,data.none" +
		"&columns=data.missing,data.raw,data.list,data.f,data.ok,severity,metadata.severity,metadata.batch,cursor")
	assert.Equal(t, []string{
		"9007199254740993", "say \"hi\",\nthen leave", "'=1+1", "-5", "", "", "AQI=", `["a",1]`, "1.0", "true", "WARN", "WARN", "7",
		a.Header.Get("Event-Next"),
	}, rows(t, a)[1])

	assert.Equal(t, "text/csv", c.get("/api/v1/events", "Accept", "text/csv").Header.Get("Content-Type"))
	assert.Equal(t, []string{"event_id"}, rows(t, c.get("/api/v1/events?format=csv&columns=event_id&event_type=none"))[0], "a table without rows")
	for path, parameter := range map[string]string{
		"/api/v1/events?format=csv&columns=nonsense": "columns",
		"/api/v1/events?format=csv&columns=data.":    "columns",
		"/api/v1/events?format=csv&columns=":         "columns",
		"/api/v1/events?columns=event_id":            "columns",
	} {
		assert.Equal(t, parameter, c.problem(c.get(path), http.StatusBadRequest).Parameter, path)
	}
}

// All events are one table, with one header row.
func TestCSVOfEverything(t *testing.T) {
	c := newClient(t, Options{})
	const n = 2*allLimit + 10
	fill(t, c.store, numbered(n)...)
	all := rows(t, c.get("/api/v1/events?limit=all&format=csv&columns=data.n"))
	require.Len(t, all, n+1)
	assert.Equal(t, []string{"data.n"}, all[0])
	assert.Equal(t, []string{"0"}, all[1])
}
