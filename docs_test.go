package telemetry_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry"
)

// TestDocs loads the YAML of docs/service.md, vets its programs, and looks for every key in it.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("docs/service.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^```(go|yaml)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, 4)
	for _, block := range blocks {
		if block[1] == "yaml" {
			_, err := telemetry.LoadConfig(file(t, block[2]))
			require.NoError(t, err)
			continue
		}
		program := filepath.Join(t.TempDir(), "main.go")
		if strings.Contains(block[2], `"testing"`) {
			program = filepath.Join(t.TempDir(), "main_test.go")
		}
		require.NoError(t, os.WriteFile(program, []byte(block[2]), 0o600))
		out, err := exec.Command("go", "vet", program).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}

	_, err = telemetry.LoadConfig(file(t, "x: 1"))
	require.Error(t, err)
	keys := err.Error()[strings.Index(err.Error(), "one of ")+len("one of "):]
	for key := range strings.SplitSeq(keys, ", ") {
		assert.Contains(t, string(page), "\n| `"+key+"` `TELEMETRY_"+strings.ToUpper(key)+"` |")
	}
}

// README.md and docs/architecture.md show the same data flow.
func TestDocsShowOneDiagram(t *testing.T) {
	diagram := regexp.MustCompile("(?ms)^```\n[^`]*►[^`]*```$")
	var shown [2]string
	for i, name := range []string{"README.md", "docs/architecture.md"} {
		page, err := os.ReadFile(name)
		require.NoError(t, err)
		shown[i] = diagram.FindString(string(page))
	}
	assert.NotEmpty(t, shown[0])
	assert.Equal(t, shown[0], shown[1])
}

// docs/architecture.md says where every package is.
func TestDocsNameEveryPackage(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	require.NoError(t, err)
	out, err := exec.Command("go", "list", "-f", "{{if .GoFiles}}{{.ImportPath}}{{end}}", "./internal/...").Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		_, folder, _ := strings.Cut(path, "github.com/isbl/telemetry/")
		assert.True(t, strings.Contains(string(page), "`"+folder+"`"), "docs/architecture.md does not name %s", folder) //nolint:testifylint // the page is long
	}
}
