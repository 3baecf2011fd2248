package eventstoreexporter

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two pipelines call the same component at the same time.
func TestTwoPipelines(t *testing.T) {
	const requests, size = 30, 10
	r := start(t, nil)
	var wg sync.WaitGroup
	for pipeline := range 2 {
		wg.Go(func() {
			for i := range requests {
				first := (pipeline*requests + i) * size
				assert.NoError(t, r.ConsumeLogs(t.Context(), numbered(first, first+size)))
			}
		})
	}
	wg.Wait()

	position := map[string]int{}
	for i, id := range r.ids(t) {
		position[id] = i
	}
	want := numbers(0, 2*requests*size)
	assert.Len(t, position, len(want))
	for i, id := range want {
		require.Contains(t, position, id)
		if i%(requests*size) > 0 {
			require.Greater(t, position[id], position[want[i-1]], "each pipeline's events keep their order")
		}
	}
	assert.EqualValues(t, len(want), r.stats(t).Stored)
}

func TestTwoExporters(t *testing.T) {
	a := start(t, m{"storage": m{"directory": t.TempDir()}})
	b := start(t, m{"storage": m{"directory": t.TempDir()}})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { assert.NoError(t, a.ConsumeLogs(t.Context(), numbered(i, i+1))) })
		wg.Go(func() { assert.NoError(t, b.ConsumeLogs(t.Context(), numbered(100+i, 101+i))) })
	}
	wg.Wait()
	assert.ElementsMatch(t, numbers(0, 20), a.ids(t))
	assert.ElementsMatch(t, numbers(100, 120), b.ids(t))
	assert.NotEqual(t, a.stats(t).Generation, b.stats(t).Generation)
}

// Each reading adds up, whatever goes on: events stored, sent again, evicted, refused, and
// taken along by a caller that leaves.
func TestStatsAddUpUnderLoad(t *testing.T) {
	r := start(t, m{"retention": m{"max_bytes": "4MiB"}})
	done := sendLoad(t, r)
	readings := 0
	for running := true; running; readings++ {
		select {
		case <-done:
			running = false
		default:
		}
		r.stats(t)
	}
	s := r.stats(t)
	t.Logf("%d readings, the last one %+v", readings, s)
	assert.Positive(t, s.Evicted)
	assert.GreaterOrEqual(t, s.Duplicate, uint64(10))
	assert.EqualValues(t, 4*loadRequests, s.Refused["too_large"])
	assert.EqualValues(t, 4*loadRequests, s.Refused["too_deep"])
	assert.EqualValues(t, loadEvents, s.Appended)
	assert.Zero(t, s.Lost)
	assert.Len(t, r.ids(t), int(s.Events), "what is counted can be read")
}

const (
	loadRequests = 10
	// loadEvents come in: four senders send four requests of 10 each time, and the last
	// request comes twice.
	loadEvents = 4*loadRequests*40 + 2*10
)

// sendLoad sends until done is closed: more than 4 MiB.
func sendLoad(t *testing.T, r *running) (done <-chan struct{}) {
	t.Helper()
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			random := rand.NewChaCha8([32]byte{byte(sender)})
			for i := range loadRequests {
				first := (sender*loadRequests + i) * 30
				ld := numbered(first, first+10)
				for at := range 10 {
					noise := make([]byte, 16<<10)
					_, _ = random.Read(noise)
					recordAt(ld, at).Attributes().PutEmptyBytes("noise").FromRaw(noise)
				}
				assert.NoError(t, r.ConsumeLogs(t.Context(), ld))
				assert.Error(t, r.ConsumeLogs(t.Context(), enlarge(nest(numbered(first+10, first+20), 1), 2)))

				ctx, leave := context.WithCancel(t.Context())
				go leave()
				_ = r.ConsumeLogs(ctx, numbered(first+20, first+30)) // stored or not: either is counted
				assert.NoError(t, r.ConsumeLogs(t.Context(), numbered(first+20, first+30)))
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		senders.Wait()
		for range 2 { // alone in its block both times
			assert.NoError(t, r.ConsumeLogs(t.Context(), numbered(-10, 0)))
		}
	}()
	return finished
}
