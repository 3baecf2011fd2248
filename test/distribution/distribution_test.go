// Package distribution holds the files of the distribution against each other: what the
// configurations name must be in the manifest, and the built collector must accept them.
package distribution

import (
	"cmp"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/version"
)

const (
	root    = "../.."
	program = root + "/cmd/otelcol-isbl"
	binary  = root + "/bin/otelcol-isbl"
)

// kinds are the sections that hold components, in manifest and configuration alike, and how the Go
// packages of each end.
var kinds = map[string]string{
	"receivers": "receiver", "processors": "processor", "exporters": "exporter", "extensions": "extension", "connectors": "connector",
}

type module struct {
	GoMod  string `mapstructure:"gomod"`
	Import string `mapstructure:"import"`
	Path   string `mapstructure:"path"`
}

func TestConfigurationsNameWhatTheManifestHas(t *testing.T) {
	manifest := loadManifest(t)
	for _, c := range configurations(t) {
		t.Run(c.name, func(t *testing.T) {
			for section, suffix := range kinds {
				for _, typ := range typesNamed(t, c.conf, section) {
					assert.True(t, manifest.provides(section, suffix, typ),
						"%s names the component %q below %s: add it to builder-config.yaml", c.name, typ, section)
				}
			}
			for _, ref := range regexp.MustCompile(`\$\{(\w+):`).FindAllStringSubmatch(c.text, -1) {
				assert.True(t, manifest.provides("providers", "provider", ref[1]),
					"%s uses ${%s:…}: add the provider to builder-config.yaml", c.name, ref[1])
			}
		})
	}
}

func TestManifestVersionsAreThoseOfGoMod(t *testing.T) {
	goMod, err := os.ReadFile(root + "/go.mod")
	require.NoError(t, err)
	for section, modules := range loadManifest(t) {
		for _, m := range modules {
			name, version, ok := strings.Cut(m.GoMod, " ")
			require.True(t, ok, "%s: %q has no version", section, m.GoMod)
			if m.Path != "" {
				continue // this checkout
			}
			if used := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(name) + ` (v\S+)`).FindSubmatch(goMod); used != nil {
				assert.Equal(t, string(used[1]), version, "%s: go.mod and builder-config.yaml differ", name)
			}
		}
	}
}

func TestCollectorAcceptsConfigurations(t *testing.T) {
	needBinary(t)
	for _, c := range configurations(t) {
		if !c.conf.IsSet("service::pipelines") {
			continue // an excerpt
		}
		t.Run(c.name, func(t *testing.T) {
			file := t.TempDir() + "/config.yaml"
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			out, err := exec.CommandContext(t.Context(), binary, "validate", "--config", file).CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
}

// The health check of a stock Collector says that all is well while a component reports an error.
func TestHealthCheckFollowsComponentStatus(t *testing.T) {
	needBinary(t)
	out, err := exec.CommandContext(t.Context(), binary, "featuregate", "extension.healthcheck.useComponentStatus").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "Enabled: true")
}

func TestVersion(t *testing.T) {
	needBinary(t)
	out, err := exec.CommandContext(t.Context(), binary, "--version").CombinedOutput()
	require.NoError(t, err, "%s", out)
	changes, err := os.ReadFile(root + "/CHANGELOG.md")
	require.NoError(t, err)
	assert.Contains(t, string(changes), "\n## ["+version.Number+"] - ")
	assert.Regexp(t, `^otelcol-isbl version `+regexp.QuoteMeta(version.Number)+`( \(.*\))?\n$`, string(out))
}

func TestVersionInFiles(t *testing.T) {
	for file, want := range map[string]string{
		"compose.yaml":             "image: otelcol-isbl:" + version.Number + "\n",
		"deploy/nats/compose.yaml": "image: otelcol-isbl:" + version.Number + "\n",
		"README.md":                "gomod: github.com/isbl/telemetry v" + version.Number + "\n",
		"docs/deployment.md":       "otelcol-isbl_" + version.Number + "-1_amd64.deb",
	} {
		text, err := os.ReadFile(root + "/" + file)
		require.NoError(t, err)
		assert.Contains(t, string(text), want, file)
	}
}

// The API's description and the README have the reasons of gaps that the store gives.
func TestGapReasons(t *testing.T) {
	api, err := os.ReadFile(root + "/internal/api/openapi.yaml")
	require.NoError(t, err)
	reasons := []string{store.ReasonRetention, store.ReasonDamage, store.ReasonGeneration}
	assert.Contains(t, string(api), "reason: {type: string, enum: ["+strings.Join(reasons, ", ")+"]}")
	readme, err := os.ReadFile(root + "/exporter/eventstoreexporter/README.md")
	require.NoError(t, err)
	_, about, ok := strings.Cut(string(readme), "Its reason is")
	require.True(t, ok)
	about, _, _ = strings.Cut(about, "\n\n")
	for _, reason := range reasons {
		assert.Contains(t, about, "`"+reason+"`")
	}
}

func TestProgramIsMadeOfTheManifest(t *testing.T) {
	components, err := os.ReadFile(program + "/components.go")
	require.NoError(t, err)
	main, err := os.ReadFile(program + "/main.go")
	require.NoError(t, err)
	var generated int
	for section, modules := range loadManifest(t) {
		for _, m := range modules {
			name, version, _ := strings.Cut(m.GoMod, " ")
			pkg := cmp.Or(m.Import, name)
			if section == "providers" {
				assert.Contains(t, string(main), `"`+pkg+`"`, "main.go lacks a provider of builder-config.yaml")
				assert.Contains(t, string(main), `" `+version+`"`, "main.go has another version of %s", pkg)
				continue
			}
			generated++
			assert.Contains(t, string(components), `"`+pkg+`"`, "run make generate")
			assert.Contains(t, string(components), `"`+m.GoMod+`"`, "run make generate")
		}
	}
	assert.Equal(t, generated, strings.Count(string(components), ".NewFactory().Type():"), "run make generate")
}

func TestBuiltInConfigurationIsConfigYAML(t *testing.T) {
	want, err := os.ReadFile(root + "/config.yaml")
	require.NoError(t, err)
	got, err := os.ReadFile(program + "/config.yaml")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run make generate")
	needBinary(t)
	out, err := exec.CommandContext(t.Context(), binary, "config").Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(out))
}

func needBinary(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(binary); err != nil {
		t.Skip("bin/otelcol-isbl is missing: run `make build`, or `make test`, which does")
	}
}

// manifest is builder-config.yaml by section.
type manifest map[string][]module

func loadManifest(t *testing.T) manifest {
	t.Helper()
	conf, err := confmaptest.LoadConf(root + "/builder-config.yaml")
	require.NoError(t, err)
	m := manifest{}
	for _, section := range []string{"receivers", "processors", "exporters", "extensions", "connectors", "providers"} {
		var part struct {
			Modules []module `mapstructure:"modules"`
		}
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"modules": conf.Get(section)}).Unmarshal(&part))
		m[section] = part.Modules
	}
	return m
}

// provides says whether a package of the section is the one of the given type. Packages are named
// after their type, without its underscores and with the kind behind it: memory_limiter is in
// memorylimiterprocessor.
func (m manifest) provides(section, suffix, typ string) bool {
	want := strings.ReplaceAll(typ, "_", "") + suffix
	if renamed, ok := map[string]string{"otlpgrpcexporter": "otlpexporter"}[want]; ok {
		want = renamed
	}
	for _, mod := range m[section] {
		pkg := mod.Import
		if pkg == "" {
			pkg, _, _ = strings.Cut(mod.GoMod, " ")
		}
		if path.Base(pkg) == want {
			return true
		}
	}
	return false
}

// typesNamed returns the types of the components that the configuration sets up or uses in a
// section.
func typesNamed(t *testing.T, conf *confmap.Conf, section string) []string {
	t.Helper()
	var ids []any
	if set, ok := conf.Get(section).(map[string]any); ok {
		for id := range set {
			ids = append(ids, id)
		}
	}
	if used, ok := conf.Get("service::" + section).([]any); ok { // extensions
		ids = append(ids, used...)
	}
	if pipelines, ok := conf.Get("service::pipelines").(map[string]any); ok {
		for _, pipeline := range pipelines {
			if used, ok := pipeline.(map[string]any)[section].([]any); ok {
				ids = append(ids, used...)
			}
		}
	}
	types := make([]string, len(ids))
	for i, text := range ids {
		var id component.ID
		require.NoError(t, id.UnmarshalText([]byte(text.(string))))
		types[i] = id.Type().String()
	}
	return types
}
