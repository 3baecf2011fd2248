package distribution

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// configuration is a Collector configuration, or a part of one, that we show to people.
type configuration struct {
	name string // the file, and the line where it begins in a page
	text string
	conf *confmap.Conf
}

// fence finds the ```yaml blocks of a page. A block for a collector of another make is opened with
// more than that (```yaml of another collector), and not looked at.
var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// configurations returns config.yaml, the YAML files of examples and docs, and the YAML blocks of
// all pages, as far as they have a section of a Collector configuration.
func configurations(t *testing.T) []configuration {
	t.Helper()
	var found []configuration
	add := func(name, text string) {
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
		require.NoError(t, err, name)
		conf, err := retrieved.AsConf()
		if err != nil {
			return // a list or a scalar
		}
		for _, section := range []string{"receivers", "processors", "exporters", "extensions", "connectors", "service"} {
			if conf.IsSet(section) {
				found = append(found, configuration{name, text, conf})
				return
			}
		}
	}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, file)
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", "build", "data", "node_modules", "testdata":
				return filepath.SkipDir
			}
			return nil
		}
		yaml := name == "config.yaml" || filepath.Ext(name) == ".yaml" && (strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "docs/")) ||
			strings.HasPrefix(name, "deploy/") && entry.Name() == "config.yaml"
		if page := filepath.Ext(name) == ".md"; !page && !yaml {
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text := string(content)
		if yaml {
			add(name, text)
			return nil
		}
		for _, block := range fence.FindAllStringSubmatchIndex(text, -1) {
			line := 1 + strings.Count(text[:block[2]], "\n")
			add(fmt.Sprintf("%s:%d", name, line), text[block[2]:block[3]])
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	require.True(t, hasName(found, "config.yaml"))
	return found
}

func hasName(found []configuration, name string) bool {
	for _, c := range found {
		if c.name == name {
			return true
		}
	}
	return false
}
