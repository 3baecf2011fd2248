package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The page has every command, and knows every flag that it names.
func TestDocs(t *testing.T) {
	raw, err := os.ReadFile("../../../../docs/eventctl.md")
	require.NoError(t, err)
	page := string(raw)
	help := run(t, "", "", "", "--help").out
	commands := regexp.MustCompile(`(?m)^  (\w+)  +[A-Z]`).FindAllStringSubmatch(help, -1)
	require.Greater(t, len(commands), 10)
	flags := help
	for _, c := range commands {
		if c[1] == "help" {
			continue
		}
		assert.Regexp(t, "(?mi)^## "+c[1]+"$", page)
		flags += run(t, "", "", "", c[1], "--help").out
	}
	flags += run(t, "", "", "", "consumers", "create", "--help").out + run(t, "", "", "", "consumers", "dead-letters", "drop", "--help").out
	for _, flag := range regexp.MustCompile(`(?:eventctl [^|\n]*|\x60)(--[a-z][a-z-]+)`).FindAllStringSubmatch(page, -1) {
		assert.True(t, strings.Contains(flags, flag[1]+" ") || strings.Contains(flags, flag[1]+"\n"), flag[1])
	}
}
