package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rules check needs no server, looks at every file, and names the place of what is wrong.
func TestRulesCheck(t *testing.T) {
	folder := t.TempDir()
	good, bad := filepath.Join(folder, "good.yaml"), filepath.Join(folder, "bad.yaml")
	const rules = "groups:\n- name: jobs\n  rules:\n  - {alert: BackupMissing, expr: 'absent(events_total{event_type=\"backup.finished\"})'}\n"
	require.NoError(t, os.WriteFile(good, []byte(rules), 0o600))
	require.NoError(t, os.WriteFile(bad, []byte("groups:\n- name: jobs\n  rules:\n  - {record: a:b, expr: up}\n"), 0o600))

	r := run(t, "", "", "", "rules", "check", good)
	require.Zero(t, r.code, r.err)
	assert.Equal(t, good+": 1 rule in 1 group\n", r.out)

	r = run(t, "", "", rules, "rules", "check", "-")
	require.Zero(t, r.code, r.err)

	r = run(t, "", "", "", "rules", "check", bad, good, filepath.Join(folder, "none.yaml"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, good)
	assert.Contains(t, r.err, bad+`:4: group "jobs": rule "a:b": is a recording rule`)
	assert.Contains(t, r.err, "none.yaml")
	assert.Contains(t, r.err, "2 files of 3 cannot be used")
	assert.Equal(t, 2, run(t, "", "", "", "rules", "check").code)
}
