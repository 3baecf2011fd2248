package dashboard_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/dashboard"
)

// maxWire is how many bytes the whole page may take on the wire.
const maxWire = 150_000

func get(path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	dashboard.Serve(w, r)
	return w
}

// The page with all that it loads is small, and its files may be kept for ever.
func TestSize(t *testing.T) {
	document := get("/", "Accept-Encoding", "gzip")
	assert.Contains(t, document.Header().Get("Content-Security-Policy"), "require-trusted-types-for 'script'")
	assert.Equal(t, "text/html; charset=utf-8", document.Header().Get("Content-Type"))
	assert.Equal(t, "no-cache", document.Header().Get("Cache-Control"))
	whole := document.Body.Len()
	paths := regexp.MustCompile(`(?:href|src)="(assets/[^"]+)"`).FindAllStringSubmatch(get("/").Body.String(), -1)
	require.Greater(t, len(paths), 20)
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path[1]] {
			continue
		}
		seen[path[1]] = true
		file := get("/"+path[1], "Accept-Encoding", "br, gzip")
		require.Equal(t, http.StatusOK, file.Code, path[1])
		assert.Equal(t, "gzip", file.Header().Get("Content-Encoding"))
		assert.Contains(t, file.Header().Get("Cache-Control"), "immutable")
		whole += file.Body.Len()
	}
	t.Logf("%d bytes in %d files", whole, len(seen)+1)
	assert.Less(t, whole, maxWire)
}

func TestFiles(t *testing.T) {
	assert.Equal(t, http.StatusNotFound, get("/assets/nothing.js").Code)
	assert.Equal(t, http.StatusNotFound, get("/assets/../dashboard.go").Code)
	plain := get("/", "Accept-Encoding", "gzip;q=0")
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, http.StatusNotModified, get("/", "If-None-Match", plain.Header().Get("ETag")).Code)
}

// What comes from npm is what the checksums say. make vendor-page writes both.
func TestVendored(t *testing.T) {
	list, err := os.Open("assets/vendor/SHA256SUMS")
	require.NoError(t, err)
	defer list.Close()
	listed := map[string]bool{}
	for lines := bufio.NewScanner(list); lines.Scan(); {
		sum, name, found := strings.Cut(lines.Text(), "  ")
		require.True(t, found)
		content, err := os.ReadFile(filepath.Join("assets/vendor", name))
		require.NoError(t, err)
		actual := sha256.Sum256(content)
		assert.Equal(t, sum, hex.EncodeToString(actual[:]), name)
		listed[name] = true
	}
	entries, err := os.ReadDir("assets/vendor")
	require.NoError(t, err)
	for _, entry := range entries {
		assert.True(t, listed[entry.Name()] || entry.Name() == "SHA256SUMS", "%s has no checksum", entry.Name())
	}
}

// The modules that need no browser are tested by node's test runner.
func TestModules(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node is not installed")
		}
		t.Skip("node is not installed")
	}
	tests, err := filepath.Glob("testdata/modules/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	output, err := exec.CommandContext(t.Context(), "node", append([]string{"--test"}, tests...)...).CombinedOutput()
	require.NoError(t, err, string(output))
}
