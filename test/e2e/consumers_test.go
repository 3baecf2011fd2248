package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// callAPI sends JSON to the API and decodes its answer. An error means that it is not known
// what became of the call.
func callAPI(ctx context.Context, method, url, body string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode >= 500 {
		return resp.StatusCode, fmt.Errorf("%s: %s", resp.Status, raw)
	}
	if into != nil && resp.StatusCode < 300 {
		return resp.StatusCode, json.Unmarshal(raw, into)
	}
	return resp.StatusCode, nil
}

// batch is the answer to a fetch.
type batch struct {
	Lease      string
	Deadline   time.Time
	Deliveries int
	Events     []struct {
		Cursor  string
		EventID string `json:"event_id"`
	}
}

// shift is what the workers of a consumer know together.
type shift struct {
	mu       sync.Mutex
	api      string
	moved    chan struct{}   // closed when api changes
	held     map[string]hold // by event
	done     map[string]bool // its worker was told so
	maybe    map[string]bool // its worker was told nothing
	got      int
	violated []string
}

type hold struct {
	lease string
	until time.Time
}

// url returns where the consumer is, and a channel that is closed when it is elsewhere.
func (s *shift) url() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.api, s.moved
}

func (s *shift) move(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.moved)
	s.api, s.moved = url, make(chan struct{})
}

func (s *shift) take(b *batch, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got += len(b.Events)
	for _, e := range b.Events {
		if h, held := s.held[e.EventID]; held && h.until.After(at) {
			s.violated = append(s.violated, fmt.Sprintf("%s is in the leases %s and %s", e.EventID, h.lease, b.Lease))
		}
		if s.done[e.EventID] {
			s.violated = append(s.violated, e.EventID+" was done")
		}
		s.held[e.EventID] = hold{b.Lease, b.Deadline}
	}
}

// giveBack is done before the ack is sent: from then on another worker may have the events.
func (s *shift) giveBack(failed map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range failed {
		delete(s.held, id)
	}
}

func (s *shift) finish(b *batch, failed map[string]bool, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range b.Events {
		if failed[e.EventID] {
			continue
		}
		delete(s.held, e.EventID)
		switch {
		case known:
			s.done[e.EventID] = true
		default:
			s.maybe[e.EventID] = true
		}
	}
}

// work is a worker that fails as workers do: some events never work, now and then it is killed
// with what it has, or is done only after its lease has expired.
func (s *shift) work(ctx context.Context, seed uint64, broken func(id string) bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	var late []*batch
	for ctx.Err() == nil {
		if len(late) > 0 && time.Now().After(late[0].Deadline) {
			s.acknowledge(ctx, late[0], broken)
			late = late[1:]
		}
		b := &batch{}
		url, moved := s.url()
		status, err := callAPI(ctx, http.MethodPost, url+"/fetch?limit=500&wait=1s", "", b)
		if err != nil { // the collector was killed
			select {
			case <-moved:
			case <-ctx.Done():
			}
			continue
		}
		if status != http.StatusOK || b.Lease == "" {
			continue
		}
		s.take(b, time.Now())
		switch r.IntN(100) {
		case 0, 1: // the worker was killed
		case 2:
			late = append(late, b)
		default:
			s.acknowledge(ctx, b, broken)
		}
	}
}

func (s *shift) acknowledge(ctx context.Context, b *batch, broken func(id string) bool) {
	failed, cursors := map[string]bool{}, []string{}
	for _, e := range b.Events {
		if broken(e.EventID) {
			failed[e.EventID] = true
			cursors = append(cursors, e.Cursor)
		}
	}
	s.giveBack(failed)
	ack, _ := json.Marshal(map[string]any{"lease": b.Lease, "failed": cursors})
	url, _ := s.url()
	status, err := callAPI(ctx, http.MethodPost, url+"/ack", string(ack), nil)
	if err != nil || status == http.StatusOK {
		s.finish(b, failed, err == nil)
	}
}

// Eight workers, some of which are killed or slow, and a collector that is killed: every
// event is done once its worker was told so, what always fails is in the dead letters, and
// no event is with two workers. CONSUMED=1000000 makes it large.
func TestConsumerLosesNothing(t *testing.T) {
	total := 20_000
	if n, err := strconv.Atoi(os.Getenv("CONSUMED")); err == nil {
		total = n
	}
	config := configuration(map[string]string{"exporters": onDisk(filepath.Join(t.TempDir(), "data"))})
	c := start(t, config)
	var all []string
	for i := range total / 1000 {
		r := newRequest(t, strconv.Itoa(i), 1000)
		require.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
		all = append(all, r.ids...)
	}
	const path = "/api/v1/consumers/workers"
	status, err := callAPI(t.Context(), http.MethodPut, c.api+path, `{"ack_wait": "2s", "backoff": {"initial": "100ms", "max": "1s"}}`, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)

	s := &shift{api: c.api + path, moved: make(chan struct{}), held: map[string]hold{}, done: map[string]bool{}, maybe: map[string]bool{}}
	broken := func(id string) bool { return strings.HasSuffix(id, "-777") } // one in a thousand
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	started := time.Now()
	for w := range uint64(8) {
		wg.Go(func() { s.work(ctx, w, broken) })
	}
	doneCount := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.done)
	}
	require.Eventually(t, func() bool { return doneCount() > total/2 }, 5*time.Minute, time.Millisecond)
	c.kill()
	c = start(t, config)
	s.move(c.api + path)

	var info struct {
		Lag  struct{ Events int }
		Dead int
	}
	require.Eventually(t, func() bool {
		status, err := callAPI(t.Context(), http.MethodGet, c.api+path, "", &info)
		return err == nil && status == http.StatusOK && info.Lag.Events == 0
	}, 5*time.Minute, 50*time.Millisecond)
	took := time.Since(started)
	stop()
	wg.Wait()

	assert.Empty(t, s.violated)
	var letters struct {
		DeadLetters []struct {
			Event struct {
				EventID string `json:"event_id"`
			}
		} `json:"dead_letters"`
		Total int
	}
	_, err = callAPI(t.Context(), http.MethodGet, c.api+path+"/dead-letters?limit=1000", "", &letters)
	require.NoError(t, err)
	dead := map[string]bool{}
	for _, letter := range letters.DeadLetters {
		dead[letter.Event.EventID] = true
	}
	assert.Len(t, dead, letters.Total)
	for _, id := range all {
		assert.Equal(t, broken(id), dead[id], "%s as a dead letter", id)
		assert.True(t, s.done[id] || s.maybe[id] || dead[id], "%s is lost", id)
	}
	t.Logf("%d events in %v: %.0f events/s, %d of them handed out again", total, took.Round(time.Millisecond), float64(total)/took.Seconds(), s.got-total)
}

// The consumer of the documentation, written in plain fetch, is run as it is.
func TestConsumerInNode(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	c := start(t, configuration(nil))
	r := newRequest(t, "node", 250)
	require.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join("..", "..", "examples", "consumer", "consumer.mjs"), c.api, "node", "--until-idle")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var want bytes.Buffer
	for _, id := range r.ids {
		fmt.Fprintf(&want, "user.login %s\n", id)
	}
	assert.Equal(t, want.String(), string(out))
	var info struct {
		Acknowledged int
		Lag          struct{ Events int }
	}
	get(t, c.api+"/api/v1/consumers/node", &info)
	assert.Equal(t, 250, info.Acknowledged)
	assert.Zero(t, info.Lag.Events)
}
