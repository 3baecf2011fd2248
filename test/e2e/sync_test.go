package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kill -9 cannot show that an answered event is on the disk, since the page cache
// survives it. The system calls can: between the write of the block file and the
// answer, an fsync of that file returned.
func TestSyncBeforeTheAnswer(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	c := startTraced(t, trace)

	const requests = 100
	for i := range requests {
		r := newRequest(t, fmt.Sprintf("one-%d", i), 1)
		require.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
	}
	one := syncs(t, trace)
	assert.Equal(t, requests, one.answers)
	assert.Equal(t, requests, one.syncedAnswers, "each answer after a sync of its own write")

	const callers = 16
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range 10 {
				r := newRequest(t, fmt.Sprintf("many-%d-%d", caller, i), 1)
				assert.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
			}
		})
	}
	wg.Wait()
	all := syncs(t, trace)
	together := all.syncs - one.syncs
	t.Logf("%d requests one after the other: %d syncs; %d requests from %d callers: %d syncs",
		requests, one.syncs, callers*10, callers, together)
	assert.Less(t, together, callers*10, "callers share syncs")
}

func startTraced(t *testing.T, trace string) *collector {
	t.Helper()
	config := configuration(map[string]string{"exporters": onDisk(t.TempDir())})
	return start(t, config, tracer(t), "-f", "-y", "-s", "16", "-o", trace, "-e", "trace=write,pwrite64,fsync,fdatasync")
}

// tracer is the path of strace.
func tracer(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if out, err := exec.Command(strace, "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("tracing is not allowed here: %s", out)
	}
	return strace
}

// seen is what a trace tells of block files and answers.
type seen struct{ syncs, answers, syncedAnswers int }

var (
	// 123 write(7</data/…/msgs/1.blk>, …) = 42, perhaps in two lines when threads interleave.
	call    = regexp.MustCompile(`^(\d+) +(write|pwrite64|fsync|fdatasync)\(\d+<([^>]*)>(.*)$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (write|pwrite64|fsync|fdatasync) resumed>(.*)$`)
)

// syncs reads a trace. A block file is dirty from the start of a write until an fsync
// that began after it returned.
func syncs(t *testing.T, trace string) (s seen) {
	t.Helper()
	f, err := os.Open(trace)
	require.NoError(t, err)
	defer f.Close()

	type started struct{ name, path, rest string }
	open := map[string]started{} // by thread
	written, dirty := false, false
	apply := func(st started, begins, ends bool) {
		block := strings.HasSuffix(st.path, ".blk") && strings.Contains(st.path, "ISBL_EVENTS")
		switch {
		case st.name == "write" || st.name == "pwrite64":
			if block && begins {
				written, dirty = true, true
			}
			if begins && strings.Contains(st.rest, `"HTTP/1.1 200 OK`) {
				s.answers++
				if written && !dirty {
					s.syncedAnswers++
				}
				written = false
			}
		case block && ends:
			dirty = false
			s.syncs++
		}
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := call.FindStringSubmatch(lines.Text()); m != nil {
			st := started{m[2], m[3], m[4]}
			whole := !strings.Contains(m[4], "<unfinished ...>")
			apply(st, true, whole)
			if !whole {
				open[m[1]] = st
			}
		} else if m := resumed.FindStringSubmatch(lines.Text()); m != nil {
			apply(open[m[1]], false, true)
			delete(open, m[1])
		}
	}
	require.NoError(t, lines.Err())
	return s
}
