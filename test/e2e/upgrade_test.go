package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A directory that an earlier release wrote opens: its events, cursors and consumers go on, and new
// events follow. A folder of testdata/formats has what a release with a format of its own wrote
// (docs/format.md), and the page its API gave. Each has 23 events, and a consumer billing of user.*
// and order.* with the first four done.
func TestDirectoriesOfEarlierReleases(t *testing.T) {
	formats, err := filepath.Glob("testdata/formats/*")
	require.NoError(t, err)
	require.NotEmpty(t, formats)
	for _, format := range formats {
		t.Run(filepath.Base(format), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			require.NoError(t, os.CopyFS(dir, os.DirFS(format+"/data")))
			page, err := os.ReadFile(format + "/events.ndjson")
			require.NoError(t, err)
			want := strings.Split(strings.TrimSpace(string(page)), "\n")

			c := start(t, configuration(map[string]string{"exporters": onDisk(dir)}))
			assert.Equal(t, want, c.lines(t, ""))
			assert.Equal(t, want[3:], c.lines(t, "&after="+cursorOf(t, want[2])), "a cursor from before")
			stats := c.stats(t)
			assert.EqualValues(t, 23, stats.Store.Recovered)
			assert.Zero(t, stats.Store.Lost)

			var batch struct{ Events []event }
			status, err := callAPI(t.Context(), http.MethodPost, c.api+"/api/v1/consumers/billing/fetch?limit=100", "", &batch)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			assert.Len(t, batch.Events, 6, "7 of 20 are order.*, the first of which is done")

			require.NoError(t, newRequest(t, "new", 5).send(t.Context(), http.DefaultClient, c.otlp))
			c.stop(t)
			c = start(t, configuration(map[string]string{"exporters": onDisk(dir)}))
			lines := c.lines(t, "")
			require.Len(t, lines, 28)
			assert.Equal(t, want, lines[:23])
			c.stop(t)
		})
	}
}

// lines returns all events as the API's lines of JSON.
func (c *collector) lines(t *testing.T, query string) []string {
	t.Helper()
	return strings.Split(strings.TrimSpace(fetch(t, c.api+"/api/v1/events?format=ndjson&limit=all"+query)), "\n")
}

func cursorOf(t *testing.T, line string) string {
	t.Helper()
	_, rest, ok := strings.Cut(line, `"cursor":"`)
	require.True(t, ok)
	cursor, _, _ := strings.Cut(rest, `"`)
	return cursor
}
