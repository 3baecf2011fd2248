package manual_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/manual"
)

func TestEveryCommandHasAPage(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "0")
	root := &cobra.Command{Use: "program", Short: "Does something"}
	sub := &cobra.Command{Use: "sub ARG", Short: "Does a part of it", Run: func(*cobra.Command, []string) {}}
	sub.Flags().Int("count", 3, "how often")
	root.AddCommand(sub, manual.Command())
	dir := filepath.Join(t.TempDir(), "new")
	root.SetArgs([]string{"man", dir})
	require.NoError(t, root.Execute())

	page, err := os.ReadFile(dir + "/program-sub.1")
	require.NoError(t, err)
	assert.Contains(t, string(page), "how often")
	assert.Contains(t, string(page), "Jan 1970")
	assert.FileExists(t, dir+"/program.1")
	assert.FileExists(t, dir+"/program-completion-bash.1")
	assert.NoFileExists(t, dir+"/program-man.1", "it is hidden")
}
