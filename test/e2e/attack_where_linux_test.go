package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// hostileAnswer is how long a call with a hostile condition may take. A page looks for two seconds.
const hostileAnswer = 15 * time.Second

// refusedConditions would take any time or memory. They are refused before they are evaluated.
var refusedConditions = map[string]string{
	"XML":              `GetXML("<a>` + strings.Repeat("<a>", 59) + strings.Repeat("</a>", 60) + `", "//a//a//a//a") == "x"`,
	"widths":           `Format("` + strings.Repeat("%1000000[1]s", 300) + `", ["x"]) == ""`,
	"parentheses":      strings.Repeat("(", 1500) + "true" + strings.Repeat(")", 1500),
	"few parentheses":  strings.Repeat("(", 400) + "true" + strings.Repeat(")", 400),
	"nested calls":     strings.Repeat("Len(", 30) + "1" + strings.Repeat(")+1", 30) + " == 1",
	"nested indexes":   strings.Repeat("attributes[", 30) + "1" + strings.Repeat("]+1", 30) + " == 1",
	"lambdas":          strings.Repeat(`Any(attributes["l"], (x) => `, 30) + "true" + strings.Repeat(")", 30),
	"large pattern":    `IsMatch(body, "((((x{1,30}){1,30}){1,1}){1,1})")`,
	"pattern of data":  `IsMatch(attributes["text"], attributes["pattern"])`,
	"multiplying":      `Len(ReplacePattern(attributes["text"], "", attributes["text"])) > 0`,
	"hostile negation": strings.Repeat("not (", 700) + "true" + strings.Repeat(")", 700),
}

// costlyConditions are allowed, and take as much time as conditions can.
var costlyConditions = map[string]string{
	"pattern":      `IsMatch(attributes["text"], "([a-h ]{1,200}x|y)+z")`,
	"16 patterns":  strings.Repeat(`IsMatch(Substring(attributes["text"],0,2000),"([a-h ]{1,200}x|y)+z") or `, 16) + "false",
	"upper case":   strings.Repeat(`ToUpperCase(ToLowerCase(attributes["text"])) == "" or `, 16) + "false",
	"maps":         strings.Repeat(`attributes["map"] == attributes["other"] or `, 80) + "false",
	"absent":       strings.Repeat(`attributes["none"] < 0 or `, 150) + "false",
	"map as text":  strings.Repeat(`String(attributes["map"]) == "" or `, 31) + "false",
	"found at end": strings.Repeat(`ContainsValue(attributes["list"], "x") or `, 31) + "false",
}

func TestAttackWhere(t *testing.T) {
	c := attacked(t, nil)
	storeHostileEvents(t, c)
	c.withstand(t, 500<<20, func(ctx context.Context, t *testing.T) {
		for name, condition := range refusedConditions {
			assertRefused(ctx, t, c, name, condition)
		}
		for name, condition := range costlyConditions {
			query := "where=" + url.QueryEscape(condition)
			begun := time.Now()
			status, body := c.call(ctx, t, http.MethodGet, "events?limit=10000&"+query, nil)
			assert.Equal(t, http.StatusOK, status, "%s: %s", name, body)
			assert.Less(t, time.Since(begun), hostileAnswer, name)

			leaving, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			var wg sync.WaitGroup
			for _, path := range []string{"counts?", "aggregate?", "events?limit=all&format=ndjson&", "events/stream?from=start&"} {
				wg.Go(func() { c.call(leaving, t, http.MethodGet, path+query, nil) })
			}
			wg.Wait()
			cancel()
		}
	})
}

// A collector that works on hostile conditions ends when it is told to.
func TestAttackWhereEndsWithTheCollector(t *testing.T) {
	c := attacked(t, nil)
	storeHostileEvents(t, c)
	var wg sync.WaitGroup
	var sent sync.WaitGroup
	for _, path := range []string{"counts?", "aggregate?", "events?limit=10000&", "events/stream?from=start&"} {
		for _, condition := range costlyConditions {
			sent.Add(1)
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent.Done() }})
			wg.Go(func() { c.call(ctx, t, http.MethodGet, path+"where="+url.QueryEscape(condition), nil) })
		}
	}
	sent.Wait()
	begun := time.Now()
	c.stop(t)
	assert.Less(t, time.Since(begun), hostileAnswer)
	wg.Wait()
}

// storeHostileEvents stores events of nearly the largest size that conditions take long on.
func storeHostileEvents(t *testing.T, c *collector) {
	t.Helper()
	for range 10 {
		ld := plog.NewLogs()
		record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetEventName("hostile")
		attributes := record.Attributes()
		attributes.PutStr("text", strings.Repeat("abcdefgh ", 20_000))
		list := attributes.PutEmptySlice("list")
		for i := range 10_000 {
			list.AppendEmpty().SetInt(int64(i))
		}
		values := map[string]any{}
		for i := range 3000 {
			values[strconv.Itoa(i)] = i
		}
		require.NoError(t, attributes.PutEmptyMap("map").FromRaw(values))
		require.NoError(t, attributes.PutEmptyMap("other").FromRaw(values))
		body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
		require.NoError(t, err)
		require.NoError(t, (&request{body: body}).send(t.Context(), http.DefaultClient, c.otlp))
	}
}

// call makes a call of the API, and reads the answer to its end. The status is 0 without one.
func (c *collector) call(ctx context.Context, t *testing.T, method, path string, body []byte) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, c.api+"/api/v1/"+path, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body) // what came until the collector or the client left
	return resp.StatusCode, string(raw)
}

// assertRefused requires that each call that takes a condition refuses one at once.
func assertRefused(ctx context.Context, t *testing.T, c *collector, name, condition string) {
	t.Helper()
	definition, err := json.Marshal(map[string]string{"where": condition})
	require.NoError(t, err)
	query := "where=" + url.QueryEscape(condition)
	for _, call := range []struct {
		method, path string
		body         []byte
	}{
		{http.MethodGet, "events?" + query, nil},
		{http.MethodGet, "events/stream?" + query, nil},
		{http.MethodGet, "counts?" + query, nil},
		{http.MethodGet, "aggregate?" + query, nil},
		{http.MethodPut, "consumers/hostile", definition},
	} {
		begun := time.Now()
		status, body := c.call(ctx, t, call.method, call.path, call.body)
		assert.Equal(t, http.StatusBadRequest, status, "%s %.20s: %s", name, call.path, body)
		assert.Contains(t, body, "where")
		assert.Less(t, time.Since(begun), hostileAnswer, name)
	}
}
