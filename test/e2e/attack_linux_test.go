package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An attack is hostile input against the built binary while honest senders go on. Each file
// attack_*_linux_test.go holds the attacks on one part of the collector.

const (
	honestRequests = 100 // a second
	honestEvents   = 10  // of a request: 1000 events a second together
	honestP99      = time.Second
	// honestLeast is how many honest requests an attack must withstand, also a short one.
	honestLeast = 100
)

// attacked is a collector for attacks: its memory_limiter refuses senders above 412 MiB, and Go
// collects garbage before that, as the Collector's documentation of memory_limiter advises.
// sections replace parts of its configuration, as for configuration.
func attacked(t *testing.T, sections map[string]string) *collector {
	t.Helper()
	all := map[string]string{
		"processors": `
  memory_limiter: {check_interval: 100ms, limit_mib: 512, spike_limit_mib: 100}
  event_buffer: {buffer_size: 100000}`,
		"pipelines": `
    logs: {receivers: [event], processors: [memory_limiter, event_buffer], exporters: [event_store]}`,
	}
	for name, text := range sections {
		all[name] = text
	}
	return start(t, configuration(all), "env", "GOMEMLIMIT=410MiB")
}

// withstand runs an attack on c while 1000 events/s come in from honest senders, which try
// nothing twice. It requires that all of them are answered and stored, that the 99th
// percentile of their answers is below a second, that the process never takes more than
// maxRSS bytes, and that it ends in order when it is told to. The attack should last some
// seconds at most, and must end when ctx does.
func (c *collector) withstand(t *testing.T, maxRSS int64, attack func(ctx context.Context, t *testing.T)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.resetPeakRSS(t)
	honest := &senders{otlp: c.otlp, name: t.Name()}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { honest.run(ctx, t, over) })
	attack(ctx, t)
	close(over)
	wg.Wait()

	require.NoError(t, ctx.Err(), "the attack took more than a minute")
	assert.Empty(t, honest.failures, "honest senders were refused")
	require.GreaterOrEqual(t, len(honest.took), honestLeast)
	slices.Sort(honest.took)
	p99 := honest.took[len(honest.took)*99/100]
	peak := c.peakRSS(t)
	t.Logf("%d honest requests, p99 %v, peak memory %d MiB", len(honest.took), p99, peak>>20)
	assert.Less(t, p99, honestP99)
	assert.Less(t, peak>>20, maxRSS>>20, "MiB at the peak")
	assert.GreaterOrEqual(t, c.stats(t).Store.Stored, uint64(len(honest.took)*honestEvents), "answered events that are stored")
	c.stop(t)
}

// senders send events at a steady rate, whether or not the ones before were answered.
type senders struct {
	otlp, name string

	mu       sync.Mutex
	took     []time.Duration // of each request that was answered
	failures []string
}

// run returns when the attack is over and at least honestLeast requests were sent.
func (s *senders) run(ctx context.Context, t *testing.T, over <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: honestRequests}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(time.Second / honestRequests)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case due := <-tick.C:
			wg.Go(func() { s.send(ctx, client, newRequest(t, fmt.Sprintf("%s-%d", s.name, i), honestEvents), due) })
		}
		select {
		case <-over:
			if i >= honestLeast {
				return
			}
		default:
		}
	}
}

func (s *senders) send(ctx context.Context, client *http.Client, r *request, due time.Time) {
	err := r.send(ctx, client, s.otlp)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failures = append(s.failures, err.Error())
		return
	}
	s.took = append(s.took, time.Since(due))
}

// resetPeakRSS makes peakRSS begin now (proc(5), clear_refs).
func (c *collector) resetPeakRSS(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", c.cmd.Process.Pid), []byte("5"), 0))
}

// peakRSS is the most memory that the process had since resetPeakRSS, in bytes.
func (c *collector) peakRSS(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(t, err, "the process ended")
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}

// Streams that nobody reads, of more events than sockets hold, do not slow down senders.
func TestAttackStreamsThatNobodyReads(t *testing.T) {
	c := attacked(t, nil)
	for i := range 64 { // 25 MiB
		require.NoError(t, newLargeRequest(t, fmt.Sprint(i), 100, 4<<10).send(t.Context(), http.DefaultClient, c.otlp))
	}
	c.withstand(t, 400<<20, func(ctx context.Context, t *testing.T) {
		host := strings.TrimPrefix(c.api, "http://")
		for range 50 {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			_, err = fmt.Fprintf(conn, "GET /api/v1/events/stream?from=start HTTP/1.1\r\nHost: %s\r\n\r\n", host)
			require.NoError(t, err)
		}
	})
}
