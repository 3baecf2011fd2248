package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// consumers is a server with one consumer, billing, that hands out batches of two events.
type consumers struct {
	url     string
	leaseOf time.Duration

	mu       sync.Mutex
	left     int // batches
	returned map[string]int
	acks     []map[string]any
	extended int
	lost     bool // every lease is, for extend
}

func newConsumers(t *testing.T, batches int) *consumers {
	t.Helper()
	c := &consumers{left: batches, leaseOf: time.Minute, returned: map[string]int{}}
	c.url = fake(t, c.serve)
	return c
}

func (c *consumers) serve(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if r.ContentLength != 0 {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch path := strings.TrimPrefix(r.URL.Path, "/api/v1/consumers/billing/"); path {
	case "fetch":
		deadline, _ := json.Marshal(time.Now().Add(c.leaseOf))
		for lease, deliveries := range c.returned {
			delete(c.returned, lease)
			answer(w, 200, fmt.Sprintf(`{"lease": %q, "deadline": %s, "deliveries": %d, "events": [%s]}`, lease, deadline, deliveries+1, twoEvents(lease)))
			return
		}
		if c.left == 0 {
			answer(w, 200, `{"events": []}`)
			return
		}
		c.left--
		lease := fmt.Sprint("lease", c.left)
		answer(w, 200, fmt.Sprintf(`{"lease": %q, "deadline": %s, "deliveries": 1, "events": [%s], "gap": {"reason": "retention", "blocks": 1, "events": 7}}`,
			lease, deadline, twoEvents(lease)))
	case "ack":
		c.acks = append(c.acks, body)
		failed, _ := body["failed"].([]any)
		if body["give_back"] == true {
			failed = []any{1, 2}
		}
		if len(failed) > 0 {
			c.returned[body["lease"].(string)] = 1
		}
		answer(w, 200, fmt.Sprintf(`{"acknowledged": %d, "returned": %d, "dead": 0}`, 2-len(failed), len(failed)))
	case "extend":
		c.extended++
		if c.lost {
			answer(w, 409, `{"title": "Conflict", "status": 409, "detail": "somebody else", "reason": "lease_lost"}`)
			return
		}
		deadline, _ := json.Marshal(time.Now().Add(c.leaseOf))
		answer(w, 200, fmt.Sprintf(`{"deadline": %s}`, deadline))
	default:
		answer(w, 404, `{"title": "Not Found", "status": 404, "detail": "there is no such consumer"}`)
	}
}

func twoEvents(lease string) string {
	var all []string
	for i := range 2 {
		id := fmt.Sprintf("%s-%d", lease, i)
		all = append(all, fmt.Sprintf(`{"cursor": "c-%s", "event_id": %q, "event_type": "a.b", "timestamp": "2026-01-02T03:04:05Z", "data": {}}`, id, id))
	}
	return strings.Join(all, ",")
}

func TestConsume(t *testing.T) {
	c := newConsumers(t, 5)
	r := run(t, c.url, "", "", "consume", "billing", "--once", "--workers", "2", "--exec", `sed "s/^/$EVENTCTL_CONSUMER $EVENTCTL_DELIVERIES /"`)
	require.Zero(t, r.code, r.err)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	slices.Sort(lines)
	require.Len(t, lines, 10)
	assert.True(t, strings.HasPrefix(lines[0], `billing 1 {"cursor": "c-lease0-0", "event_id": "lease0-0"`), lines[0])
	require.Len(t, c.acks, 5)
	for _, ack := range c.acks {
		assert.NotContains(t, ack, "failed")
	}
	assert.Contains(t, r.err, "10 events acknowledged, 0 events returned")
	assert.Contains(t, r.err, "gap: 7 events went away before they were read (retention")
}

// What a command does not take comes again.
func TestConsumeReturns(t *testing.T) {
	c := newConsumers(t, 1)
	tried := filepath.Join(t.TempDir(), "tried")
	r := run(t, c.url, "", "", "consume", "billing", "--once", "--delay", "10s", "--exec", "test -e "+tried+" || { touch "+tried+"; echo no such table >&2; exit 7; }")
	require.Zero(t, r.code, r.err)
	require.Len(t, c.acks, 2)
	assert.Equal(t, map[string]any{"lease": "lease0", "failed": []any{"c-lease0-0", "c-lease0-1"}, "reason": "exit status 7: no such table", "delay": "10s"}, c.acks[0])
	assert.Equal(t, map[string]any{"lease": "lease0"}, c.acks[1])
	assert.Contains(t, r.err, "exit status 7")
	assert.Contains(t, r.err, "2 events acknowledged, 2 events returned")
}

// A mistake in the command does not make dead letters of everything.
func TestConsumeWithoutCommand(t *testing.T) {
	c := newConsumers(t, 5)
	r := run(t, c.url, "", "", "consume", "billing", "--exec", "no-such-command")
	assert.Equal(t, 1, r.code)
	require.Len(t, c.acks, 1)
	assert.Equal(t, true, c.acks[0]["give_back"])

	r = run(t, c.url, "", "", "consume", "nobody", "--exec", "cat")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "eventctl consumers create nobody")
}

// A command that says that it cannot do its work now gets its batch again, later and without a
// delivery being counted.
func TestConsumeGivesBack(t *testing.T) {
	for _, code := range []string{"75", "3"} {
		c := newConsumers(t, 1)
		tried := filepath.Join(t.TempDir(), "tried")
		p := start(t.Context(), c.url, "", "", "consume", "billing", "--exec", "test -e "+tried+" && echo done || { touch "+tried+"; exit "+code+"; }")
		p.prints(t, "done")
		p.cancel()
		r := p.wait(t)
		require.Zero(t, r.code, r.err)
		require.Len(t, c.acks, 2)
		assert.Equal(t, map[string]any{"lease": "lease0", "give_back": true}, c.acks[0])
		assert.Equal(t, map[string]any{"lease": "lease0"}, c.acks[1])
		assert.Contains(t, r.err, "2 events given back")

		c = newConsumers(t, 1)
		r = run(t, c.url, "", "", "consume", "billing", "--once", "--exec", "exit "+code)
		assert.Equal(t, 1, r.code, r.err)
		assert.Len(t, c.acks, 1)
	}
}

// A command that takes long keeps its lease; one that has lost it is ended, and says nothing about
// its batch.
func TestConsumeExtends(t *testing.T) {
	c := newConsumers(t, 1)
	c.leaseOf = 300 * time.Millisecond
	r := run(t, c.url, "", "", "consume", "billing", "--once", "--exec", "sleep 1.2")
	require.Zero(t, r.code, r.err)
	assert.GreaterOrEqual(t, c.extended, 1)
	assert.Len(t, c.acks, 1)

	c = newConsumers(t, 1)
	c.leaseOf, c.lost = 300*time.Millisecond, true
	began := time.Now()
	r = run(t, c.url, "", "", "consume", "billing", "--once", "--exec", "sleep 20; true")
	require.Zero(t, r.code, r.err)
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.Contains(t, r.err, "the lease was lost")
	assert.Empty(t, c.acks)
}

// An interrupt lets the command under way end, and its batch be acknowledged.
func TestConsumeInterrupted(t *testing.T) {
	c := newConsumers(t, 100)
	dir := t.TempDir()
	p := start(t.Context(), c.url, "", "", "consume", "billing", "--exec", "echo began; while ! test -e "+dir+"/go; do sleep 0.02; done")
	p.prints(t, "began")
	p.cancel()
	require.NoError(t, os.WriteFile(dir+"/go", nil, 0o600))
	r := p.wait(t)
	assert.Zero(t, r.code, r.err)
	assert.Len(t, c.acks, 1)
	assert.Contains(t, r.err, "2 events acknowledged")
}
