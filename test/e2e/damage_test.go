package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Files that are damaged after kill -9: the collector starts, counts what is gone to the
// last event, tells its readers, and goes on.
func TestDamageAfterKill(t *testing.T) {
	const requests, each = 40, 5
	for name, damage := range map[string]func(t *testing.T, stream string){
		"blocks truncated": onBlocks(func(b []byte) []byte { return b[:len(b)/3] }),
		"blocks zeroed":    onBlocks(func(b []byte) []byte { clear(b[len(b)/2 : len(b)*3/4]); return b }),
		"a bit of a block": onBlocks(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"blocks missing":   func(t *testing.T, stream string) { require.NoError(t, os.Remove(filepath.Join(stream, "msgs/1.blk"))) },
		"metadata missing": func(t *testing.T, stream string) { require.NoError(t, os.Remove(filepath.Join(stream, "meta.inf"))) },
		"stream missing":   func(t *testing.T, stream string) { require.NoError(t, os.RemoveAll(stream)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := configuration(map[string]string{"exporters": onDisk(dir)})
			c := start(t, config)
			for i := range requests {
				require.NoError(t, newRequest(t, fmt.Sprint(i), each).send(t.Context(), http.DefaultClient, c.otlp))
			}
			require.Eventually(t, func() bool {
				var tail struct{ Events int }
				b, err := os.ReadFile(filepath.Join(dir, "tail"))
				return err == nil && json.Unmarshal(b, &tail) == nil && tail.Events == requests*each
			}, 20*time.Second, 20*time.Millisecond, "the store remembers what it has")
			c.kill()
			damage(t, filepath.Join(dir, "jetstream/$G/streams/ISBL_EVENTS"))

			c = start(t, config)
			var page struct{ Events []event }
			get(t, c.api+"/api/v1/events?limit=10000", &page)
			st := c.stats(t).Store
			lost := requests*each - len(page.Events)
			t.Logf("%d of %d events lost", lost, requests*each)
			assert.EqualValues(t, lost, st.Lost)
			assert.EqualValues(t, requests*each, st.Recovered)
			assert.EqualValues(t, len(page.Events), st.Events)
			assert.Equal(t, lost > 0, c.logged("the store is damaged: stored events are lost"))
			assert.Equal(t, lost > 0, c.logged(fmt.Sprintf(`"events":%d,`, lost)))
			require.NoError(t, newRequest(t, "after", each).send(t.Context(), http.DefaultClient, c.otlp))
			c.stop(t)

			c = start(t, config)
			assert.Len(t, c.readAll(t, ""), len(page.Events)+each)
			assert.Zero(t, c.stats(t).Store.Lost, "counted once")
			c.stop(t)
		})
	}
}

// onBlocks changes the file of the newest blocks.
func onBlocks(how func([]byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, stream string) {
		t.Helper()
		path := filepath.Join(stream, "msgs/1.blk")
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, how(b), 0o600))
	}
}
