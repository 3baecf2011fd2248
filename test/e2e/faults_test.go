package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steps are the system calls with which a store changes its files. Those on other files,
// sockets and the log are in the way of answers.
var steps = []struct {
	name, calls string
	storeOnly   bool // counted on the files of the store alone
}{
	{"write", "write", false},
	{"write of the store", "write", true},
	{"pwrite64", "pwrite64", false},
	{"fsync", "fsync", false},
	{"rename", "rename,renameat,renameat2", false},
	{"openat", "openat", false},
	{"openat of the store", "openat", true},
}

// faultCounts are the calls at which something happens: a spread, or with FAULTS=all each
// one.
func faultCounts(spread ...int) []int {
	if os.Getenv("FAULTS") != "all" {
		return spread
	}
	all := make([]int, 200)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// Killed at whatever step, from the first start to the stop: what was answered is there
// once, and nothing else is wrong.
func TestKillAtEveryStep(t *testing.T) {
	strace := tracer(t)
	var cases, killed atomic.Int32
	t.Cleanup(func() {
		t.Logf("%d cases, in %d of them the call came and the process was killed", cases.Load(), killed.Load())
	})
	for _, step := range steps {
		for _, n := range faultCounts(1, 2, 3, 4, 6, 9, 14, 21, 34, 60, 110, 200) {
			t.Run(fmt.Sprintf("%s %d", step.name, n), func(t *testing.T) {
				t.Parallel()
				cases.Add(1)
				dir := filepath.Join(t.TempDir(), "data")
				config := configuration(map[string]string{"exporters": onDisk(dir)})
				c := launch(t, config, inject(t, strace, dir, step.calls, step.storeOnly, "signal=KILL", n)...)
				var requests []*request
				if c.isReady(t) {
					requests = loadSome(t, c, 4, 220)
					c.terminate(t)
				}
				if status := c.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() && status.Signal() == syscall.SIGKILL {
					killed.Add(1)
				}
				checkAnswered(t, config, requests)
			})
		}
	}
}

// A call that fails, as on a full or broken disk, costs nothing that was answered, and the
// store goes on by itself.
func TestFailingCalls(t *testing.T) {
	strace := tracer(t)
	var cases, noticed atomic.Int32
	t.Cleanup(func() {
		t.Logf("%d cases, in %d of them the store took no events for a while", cases.Load(), noticed.Load())
	})
	for _, step := range steps[1:4] {
		for _, failure := range []string{"ENOSPC", "EIO"} {
			for _, n := range faultCounts(1, 2, 3, 4, 5, 8, 13, 30) {
				t.Run(fmt.Sprintf("%s %s %d", step.name, failure, n), func(t *testing.T) {
					t.Parallel()
					cases.Add(1)
					dir := filepath.Join(t.TempDir(), "data")
					config := configuration(map[string]string{"exporters": onDisk(dir)})
					c := launch(t, config, inject(t, strace, dir, step.calls, step.storeOnly, "error="+failure, n)...)
					var requests []*request
					if c.isReady(t) {
						requests = sendAll(t, c, 40)
						if c.logged("takes no events until its disk can be written again") {
							noticed.Add(1)
						}
						c.kill()
					} else { // it says what it could not write
						assert.Equal(t, 1, c.cmd.ProcessState.ExitCode())
					}
					checkAnswered(t, config, requests)
				})
			}
		}
	}
}

// inject is the command under which the n-th of some calls does not go well.
func inject(t *testing.T, strace, dir, calls string, storeOnly bool, what string, n int) []string {
	t.Helper()
	command := []string{
		strace, "-f", "-qq", "-o", filepath.Join(t.TempDir(), "trace"), "-E", "GOMAXPROCS=1", // calls are counted by thread
		"-e", "trace=" + calls, "-e", fmt.Sprintf("inject=%s:%s:when=%d", calls, what, n),
	}
	if storeOnly {
		stream := filepath.Join(dir, "jetstream/$G/streams/ISBL_EVENTS")
		for _, path := range []string{
			filepath.Join(dir, "generation"), filepath.Join(dir, "generation.new"),
			filepath.Join(dir, "tail"), filepath.Join(dir, "tail.new"),
			filepath.Join(dir, "evicted"), filepath.Join(dir, "evicted.new"),
			filepath.Join(stream, "meta.inf.tmp"), filepath.Join(stream, "meta.sum.tmp"),
			filepath.Join(stream, "msgs/1.blk"), filepath.Join(stream, "msgs/index.db"), filepath.Join(stream, "msgs/index.db.tmp"),
		} {
			command = append(command, "-P", path)
		}
	}
	return command
}

// terminate ends the collector under strace in order, unless it has ended.
func (c *collector) terminate(t *testing.T) {
	t.Helper()
	pid := strconv.Itoa(c.cmd.Process.Pid)
	if children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children"); err == nil {
		for child := range strings.FieldsSeq(string(children)) {
			id, err := strconv.Atoi(child)
			require.NoError(t, err)
			_ = syscall.Kill(id, syscall.SIGTERM) // it may have ended
		}
	}
	select {
	case <-c.exited:
	case <-time.After(30 * time.Second):
		t.Fatal("the collector does not stop")
	}
}

// loadSome sends a number of requests from several clients, or fewer when one fails.
func loadSome(t *testing.T, c *collector, clients, requests int) []*request {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	var all []*request
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for i := 0; i < requests/clients && ctx.Err() == nil; i++ {
				r := newRequest(t, fmt.Sprintf("%d-%d", client, i), 5)
				err := r.send(ctx, http.DefaultClient, c.otlp)
				mu.Lock()
				all = append(all, r)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return all
}

// sendAll sends requests one after the other, each again until it is answered.
func sendAll(t *testing.T, c *collector, requests int) (all []*request) {
	t.Helper()
	for i := range requests {
		r := newRequest(t, fmt.Sprint(i), 5)
		require.Eventually(t, func() bool {
			return r.send(t.Context(), http.DefaultClient, c.otlp) == nil
		}, 20*time.Second, 20*time.Millisecond, "the store goes on by itself")
		all = append(all, r)
	}
	return all
}

// checkAnswered opens the store again: answered events are there once, others at most once,
// all that is there can be read, and more can be stored.
func checkAnswered(t *testing.T, config string, requests []*request) {
	t.Helper()
	c := start(t, config)
	events := c.readAll(t, "")
	seen := count(events)
	for _, r := range requests {
		for _, id := range r.ids {
			if r.answered {
				require.Equal(t, 1, seen[id], id)
			}
			require.LessOrEqual(t, seen[id], 1, id)
		}
	}
	st := c.stats(t).Store
	assert.EqualValues(t, len(events), st.Recovered, "recovered is what can be read")
	assert.Zero(t, st.Lost)
	require.NoError(t, newRequest(t, "after", 5).send(t.Context(), http.DefaultClient, c.otlp))
	assert.Len(t, c.readAll(t, ""), len(events)+5)
	c.kill() // a collector that just started may not listen to signals yet
}
