package distribution

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// grafanaDashboard is what Grafana needs of a dashboard.
type grafanaDashboard struct {
	UID, Title    string
	SchemaVersion int `json:"schemaVersion"`
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []struct {
		ID          int
		Type, Title string
		GridPos     struct{ X, Y, W, H int } `json:"gridPos"`
		Datasource  struct{ Type, UID string }
		FieldConfig struct{ Defaults struct{ Unit string } } `json:"fieldConfig"`
		Targets     []struct {
			RefID        string `json:"refId"`
			Expr         string
			LegendFormat string `json:"legendFormat"`
			Instant      bool
			Format       string
			Datasource   struct{ Type, UID string }
		}
	}
}

var variable = regexp.MustCompile(`\$\{?(\w+)`)

// Grafana can load the dashboards: each panel has a place of its own, a unit, legends and a data
// source that the reader chooses, and each variable exists.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob(root + "/deploy/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			var d grafanaDashboard
			require.NoError(t, json.Unmarshal(content, &d))
			assert.Equal(t, strings.TrimSuffix(filepath.Base(file), ".json"), d.UID)
			assert.NotEmpty(t, d.Title)
			assert.GreaterOrEqual(t, d.SchemaVersion, 39, "Grafana 11")
			known := []string{"__rate_interval", "__range"}
			for _, v := range d.Templating.List {
				known = append(known, v.Name)
			}
			for _, name := range variable.FindAllStringSubmatch(string(content), -1) {
				if name[1] != "__all" { // the value of a variable whose values are all chosen
					assert.Contains(t, known, name[1])
				}
			}
			ids := map[int]bool{}
			taken := map[[2]int]string{}
			for _, p := range d.Panels {
				assert.False(t, ids[p.ID], "%s: id %d is taken", p.Title, p.ID)
				ids[p.ID] = true
				assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
				for x := range p.GridPos.W {
					for y := range p.GridPos.H {
						place := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
						assert.Empty(t, taken[place], "%s overlaps", p.Title)
						taken[place] = p.Title
					}
				}
				if p.Type == "row" {
					continue
				}
				assert.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
				assert.True(t, p.FieldConfig.Defaults.Unit != "" || p.Type == "table", "%s has no unit", p.Title)
				require.NotEmpty(t, p.Targets, p.Title)
				var refs []string
				for _, target := range p.Targets {
					assert.NotEmpty(t, target.Expr, p.Title)
					assert.Equal(t, "${datasource}", target.Datasource.UID, p.Title)
					assert.Equal(t, p.Type == "table", target.Format == "table", p.Title)
					assert.Equal(t, p.Type != "timeseries", target.Instant, p.Title)
					assert.Equal(t, p.Type == "timeseries" || p.Type == "bargauge", target.LegendFormat != "", "%s needs a legend", p.Title)
					refs = append(refs, target.RefID)
				}
				assert.Len(t, slices.Compact(slices.Sorted(slices.Values(refs))), len(p.Targets), p.Title)
			}
		})
	}
}

// compose.yaml mounts what there is, at the places where the files that are mounted look for it.
func TestMonitoringOfCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Volumes []string }
		Configs  map[string]struct{ Content string }
	}
	loadYAML(t, root+"/compose.yaml", &compose)
	mounts := map[string]string{}
	for _, service := range compose.Services {
		for _, volume := range service.Volumes {
			if from, to, _ := strings.Cut(volume, ":"); strings.HasPrefix(from, "./") {
				assert.DirExists(t, filepath.Join(root, from))
				mounts[strings.TrimSuffix(to, ":ro")] = from
			}
		}
	}
	var prometheus struct {
		RuleFiles []string `yaml:"rule_files"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(compose.Configs["prometheus"].Content), &prometheus))
	require.Len(t, prometheus.RuleFiles, 1)
	assert.FileExists(t, filepath.Join(root, mounts[filepath.Dir(prometheus.RuleFiles[0])], filepath.Base(prometheus.RuleFiles[0])))

	var dashboards struct {
		Providers []struct{ Options struct{ Path string } }
	}
	loadYAML(t, root+"/deploy/grafana/provisioning/dashboards/isbl-telemetry.yaml", &dashboards)
	require.Len(t, dashboards.Providers, 1)
	assert.Equal(t, "./deploy/grafana/dashboards", mounts[dashboards.Providers[0].Options.Path])

	// The same data sources as those for a Grafana on the machine itself, at other addresses.
	type datasource struct{ Name, UID, Type, Access string }
	var here, inCompose struct{ Datasources []datasource }
	loadYAML(t, root+"/deploy/grafana/provisioning/datasources/isbl-telemetry.yaml", &here)
	require.NoError(t, yaml.Unmarshal([]byte(compose.Configs["datasources"].Content), &inCompose))
	assert.NotEmpty(t, here.Datasources)
	assert.Equal(t, here, inCompose)

	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: install it, on Debian with the package prometheus")
	}
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(compose.Configs["prometheus"].Content), 0o600))
	out, err := exec.Command(promtool, "check", "config", "--syntax-only", config).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func loadYAML(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, into))
}
