package distribution

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	rulesFile = root + "/deploy/alerts/isbl-telemetry.yaml"
	rulesTest = root + "/test/alerts/isbl-telemetry_test.yaml"
	runbook   = root + "/docs/operations.md"
)

// rule is what the tests read of an alert rule.
type rule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func loadRules(t *testing.T) (all []rule) {
	t.Helper()
	content, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	var file struct{ Groups []struct{ Rules []rule } }
	require.NoError(t, yaml.Unmarshal(content, &file))
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

// Prometheus takes the rules, and each fault fires its alert and no other one.
func TestAlertRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: install it, on Debian with the package prometheus")
	}
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", filepath.Base(rulesTest)}} {
		cmd := exec.Command(promtool, args...)
		if args[0] == "test" {
			cmd.Dir = filepath.Dir(rulesTest)
		}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}

// An alert says how bad it is, what is wrong and what to do. Its section of the runbook exists, it
// is tested, and there is no section of an alert that does not exist.
func TestAlertsHaveRunbooks(t *testing.T) {
	page, err := os.ReadFile(runbook)
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## Runbook\n")
	require.True(t, found)
	tests, err := os.ReadFile(rulesTest)
	require.NoError(t, err)
	var names, headings []string
	for _, heading := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(section, -1) {
		headings = append(headings, heading[1])
	}
	for _, r := range loadRules(t) {
		names = append(names, r.Alert)
		assert.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.NotEmpty(t, r.Annotations["description"], r.Alert)
		assert.Equal(t, "https://github.com/isbl/telemetry/blob/main/docs/operations.md#"+strings.ToLower(r.Alert), r.Annotations["runbook_url"])
		assert.Regexp(t, `labels: '\{alertname="`+r.Alert+`"\}', value: 1`, string(tests), "%s has no test", r.Alert)
	}
	assert.Equal(t, names, headings, "the runbook has a section for each alert, in the order of the rules")
}
