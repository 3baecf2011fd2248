package telemetry_test

import (
	"bufio"
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxColumns is the width of Markdown and of comments in Go; a tab is 4 columns.
const maxColumns = 100

var (
	generated = regexp.MustCompile(`(^|/)(generated_\w+\.go|documentation\.md)$|^bench/results/`)
	// cannotWrap matches tables, images, headings, preformatted text, directives, and lines of one
	// word, code span or link.
	cannotWrap = regexp.MustCompile("^(\\||!\\[|#|//(\t|  )|//\\w+:|(//|[-*])? ?(\\S+|`[^`]+`|\\[[^]]+\\]\\(\\S+\\))[.,;:]?$)")
)

func TestLinesFit(t *testing.T) {
	skipped := []string{".git", "build", "bin", "data", "node_modules", "testdata", "vendor"}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && slices.Contains(skipped, entry.Name()) {
			return cmp.Or(err, fs.SkipDir)
		}
		if ext := filepath.Ext(path); ext == ".md" || ext == ".go" {
			if !generated.MatchString(filepath.ToSlash(path)) {
				checkLines(t, path, ext == ".md")
			}
		}
		return nil
	}))
}

func checkLines(t *testing.T, path string, markdown bool) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	code, output := !markdown, false // output is what an example prints
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if markdown && strings.HasPrefix(line, "```") {
			code = !code
		}
		output = strings.HasPrefix(line, "// Output:") || output && strings.HasPrefix(line, "//")
		if output || code && (markdown || !strings.HasPrefix(line, "//")) || cannotWrap.MatchString(line) {
			continue
		}
		columns := utf8.RuneCountInString(strings.ReplaceAll(lines.Text(), "\t", "    "))
		assert.LessOrEqual(t, columns, maxColumns, "%s:%d", path, n)
	}
	require.NoError(t, lines.Err())
}
