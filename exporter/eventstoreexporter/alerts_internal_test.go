package eventstoreexporter

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
)

func parseAlerts(t *testing.T, values map[string]any) (*AlertsConfig, error) {
	t.Helper()
	cfg := defaultAlertsConfig()
	if err := confmap.NewFromStringMap(values).Unmarshal(&cfg); err != nil {
		return nil, err
	}
	return &cfg, confmap.Validate(&cfg)
}

func TestAlertsConfig(t *testing.T) {
	files := []any{"a.yaml"}
	cfg, err := parseAlerts(t, map[string]any{
		"rule_files": files, "alertmanagers": []any{map[string]any{"endpoint": "http://a:9093", "timeout": "3s"}},
		"webhooks": []any{map[string]any{"endpoint": "https://b/hook", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "headers": map[string]any{"X-Team": "a"}}},
	})
	require.NoError(t, err)
	assert.Equal(t, 3*time.Second, cfg.Alertmanagers[0].client.Timeout)
	assert.Equal(t, 10*time.Second, cfg.Webhooks[0].client.Timeout)
	assert.NotEmpty(t, cfg.Webhooks[0].Secret)
	assert.True(t, cfg.Events)
	for name, values := range map[string]map[string]any{
		"rule_files":    {},
		"interval":      {"rule_files": files, "interval": "1ms"},
		"query_offset":  {"rule_files": files, "query_offset": "-1s"},
		"external_url":  {"rule_files": files, "external_url": "events"},
		"alertmanagers": {"rule_files": files, "alertmanagers": []any{map[string]any{"endpoint": "a:9093"}}},
		"secret":        {"rule_files": files, "webhooks": []any{map[string]any{"endpoint": "http://a", "secret": "!"}}},
		"twice":         {"rule_files": files, "webhooks": []any{map[string]any{"endpoint": "http://a"}, map[string]any{"endpoint": "http://a"}}},
		"nonsense":      {"rule_files": files, "webhooks": []any{map[string]any{"endpoint": "http://a", "nonsense": 1}}},
	} {
		_, err := parseAlerts(t, values)
		assert.ErrorContains(t, err, name)
	}
}

// The exporter's rules reach its notifiers, are counted, and become events of its store.
func TestStartAlerts(t *testing.T) {
	arrived := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.URL.Path }))
	t.Cleanup(hook.Close)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte("groups:\n- name: g\n  interval: 1s\n  rules: [{alert: X, expr: vector(1)}]\n"), 0o600))
	cfg, err := parseAlerts(t, map[string]any{
		"rule_files": []any{file, file + ".none"}, "alertmanagers": []any{map[string]any{"endpoint": hook.URL}},
		"webhooks": []any{map[string]any{"endpoint": hook.URL + "/hook"}},
	})
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Endpoint = "localhost:0"
	config.Alerts = configoptional.Some(*cfg)
	e, err := newEventStore(exportertest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	require.NoError(t, e.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, e.shutdown(context.Background())) })
	paths := map[string]bool{}
	require.Eventually(t, func() bool {
		select {
		case path := <-arrived:
			paths[path] = true
		default:
		}
		return paths["/hook"] && paths["/api/v2/alerts"] && e.store.Stats(t.Context()).Events == 1
	}, 30*time.Second, 10*time.Millisecond)
}
