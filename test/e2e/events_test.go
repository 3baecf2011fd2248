package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// post sends events, and returns the answer.
func (c *collector) post(t testing.TB, contentType, body string) (status int, answer struct {
	Accepted int
	IDs      []string
	Rejected []struct{ Pointer, Reason string }
},
) {
	t.Helper()
	resp, err := http.Post(c.events, contentType, strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &answer), "%s", raw)
	return resp.StatusCode, answer
}

// Events without an SDK are stored when they are answered, and what is wrong is to be seen without
// the log.
func TestEventsWithoutSDK(t *testing.T) {
	dir := t.TempDir()
	c := start(t, configuration(map[string]string{"exporters": onDisk(dir)}))
	status, answer := c.post(t, "application/json", `[{"event_type":"user.login","source":"shop","data":{"user":"ann"}},{"source":"shop"},
		{"event_type":"user.login","data":{"text":"`+strings.Repeat("x", 300<<10)+`"}},
		{"event_type":"data.many","data":{`+strings.TrimSuffix(strings.Repeat(`"%d":"`+strings.Repeat("x", 200<<10)+`",`, 3), ",")+`}}]`)
	assert.Equal(t, http.StatusAccepted, status)
	assert.Equal(t, 1, answer.Accepted)
	require.Len(t, answer.Rejected, 3)
	assert.Equal(t, "/1/event_type missing_field", answer.Rejected[0].Pointer+" "+answer.Rejected[0].Reason)
	assert.Equal(t, "/2/data/text string_too_long", answer.Rejected[1].Pointer+" "+answer.Rejected[1].Reason)
	assert.Equal(t, "malformed", answer.Rejected[2].Reason, "a name is there twice")

	large := `{"event_type":"data.many","data":{`
	for i := range 3 {
		large += fmt.Sprintf(`"%d":%q,`, i, strings.Repeat("x", 200<<10))
	}
	status, answer = c.post(t, "application/json", strings.TrimSuffix(large, ",")+"}}")
	assert.Equal(t, http.StatusBadRequest, status)
	require.Len(t, answer.Rejected, 1)
	assert.Equal(t, "too_large", answer.Rejected[0].Reason, "the store refuses it")

	var all struct {
		Problems []struct {
			Component, Reason string
			Count             int
		}
	}
	get(t, c.api+"/api/v1/problems", &all)
	var got []string
	for _, p := range all.Problems {
		got = append(got, fmt.Sprint(p.Component, " ", p.Reason, " ", p.Count))
	}
	assert.Equal(t, []string{
		"exporter/event_store too_large 1", "receiver/event malformed 1", "receiver/event missing_field 1", "receiver/event string_too_long 1",
	}, got)

	c.kill()
	again := start(t, configuration(map[string]string{"exporters": onDisk(dir)}))
	events := again.readAll(t, "")
	require.Len(t, events, 1)
	assert.Equal(t, map[string]any{"user": "ann"}, events[0].Data)
}

// A batch that is sent twice is stored once.
func TestBatchSentTwice(t *testing.T) {
	c := start(t, configuration(map[string]string{"exporters": "\n  event_store: {endpoint: \"127.0.0.1:0\", deduplicate: {}}"}))
	for range 2 {
		status, answer := c.post(t, "application/cloudevents-batch+json",
			`[{"specversion":"1.0","id":"1","source":"/s","type":"a.b"},{"specversion":"1.0","id":"2","source":"/s","type":"a.b"}]`)
		assert.Equal(t, http.StatusAccepted, status)
		assert.Equal(t, []string{"1", "2"}, answer.IDs)
		status, _ = c.post(t, "application/x-ndjson", `{"event_type":"a.b","event_id":"3"}`+"\n"+`{"event_type":"a.b","event_id":"4"}`)
		assert.Equal(t, http.StatusAccepted, status)
	}
	assert.Len(t, c.readAll(t, ""), 4)
	assert.EqualValues(t, 4, c.stats(t).Store.Duplicate)
}

// A store that takes nothing for now is a sender that waits.
func TestEventsWhenTheStoreIsFull(t *testing.T) {
	c := start(t, configuration(map[string]string{
		"exporters": "\n  event_store: {endpoint: \"127.0.0.1:0\", retention: {max_events: 1, when_full: reject_new}}",
	}))
	deadline := time.Now().Add(10 * time.Second)
	for {
		resp, err := http.Post(c.events, "application/json", strings.NewReader(`{"event_type":"a.b"}`))
		require.NoError(t, err)
		resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable {
			assert.NotEmpty(t, resp.Header.Get("Retry-After"))
			return
		}
		require.Equal(t, http.StatusAccepted, resp.StatusCode)
		require.True(t, time.Now().Before(deadline), "the store is never full")
	}
}

// The CloudEvents SDK for JavaScript sends in all three modes, and reads back what it sent.
func TestNodeCloudEvents(t *testing.T) {
	node := nodeModules(t)
	c := start(t, configuration(nil))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "cloudevents.mjs", c.events, c.api)
	cmd.Dir = "../node"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "unchanged 15\n", string(out))
}

// The curl examples of the README do what it says.
func TestREADMECurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	page, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(page), "\n### Without an SDK\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	c := start(t, configuration(nil))
	at := strings.NewReplacer("localhost:4319/v1/events", c.events, "localhost:4380", c.api)
	examples := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(section, -1)
	require.NotEmpty(t, examples)
	sent := 0
	for _, example := range examples {
		for command := range strings.SplitSeq(strings.TrimSpace(example[1]), "\n\n") {
			cmd := exec.CommandContext(t.Context(), "sh", "-ec", `curl() { command curl -sS --fail-with-body "$@"; }`+"\n"+at.Replace(command))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s\n%s", command, out)
			if strings.Contains(command, "/v1/events") && strings.Contains(string(out), `"accepted"`) {
				var answer struct{ Accepted int }
				require.NoError(t, json.Unmarshal(out, &answer), "%s", out)
				assert.NotZero(t, answer.Accepted, command)
				sent += answer.Accepted
			}
		}
	}
	assert.GreaterOrEqual(t, sent, 5, "one example for each mode")
	assert.Len(t, c.readAll(t, ""), sent)
}
