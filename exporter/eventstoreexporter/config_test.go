package eventstoreexporter

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/isbl/telemetry/internal/store"
)

// load reads one of the configurations in testdata.
func load(t *testing.T, id string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(id)
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

func TestDefaultConfig(t *testing.T) {
	cfg := load(t, "event_store")
	assert.Equal(t, NewFactory().CreateDefaultConfig(), cfg)
	assert.Equal(t, "localhost:4380", cfg.ServerConfig.NetAddr.Endpoint)
	assert.False(t, cfg.ServerConfig.TLS.HasValue())
	assert.False(t, cfg.ServerConfig.Auth.HasValue())
	assert.Equal(t, time.Minute, idleTimeout(t, cfg))
	assert.Equal(t, 5*time.Second, cfg.TimeoutConfig.Timeout)
	assert.False(t, cfg.QueueConfig.HasValue())
	assert.False(t, cfg.RetryConfig.Enabled)
	assert.Equal(t, 10, cfg.BatchSize)
	assert.Equal(t, "isbl-telemetry", cfg.SourceID)
	assert.Equal(t, "log", cfg.DefaultEventType)
	assert.EqualValues(t, 512<<10, cfg.MaxEventSize)
	assert.Equal(t, StorageConfig{}, cfg.Storage)
	assert.Equal(t, RetentionConfig{}, cfg.Retention)
	assert.Equal(t, store.Options{MaxEventSize: 512 << 10, Timeout: 5 * time.Second}, cfg.storeOptions())
}

func TestAllKeys(t *testing.T) {
	cfg := load(t, "event_store/all")
	server := cfg.ServerConfig
	assert.Equal(t, "0.0.0.0:5380", server.NetAddr.Endpoint)
	assert.EqualValues(t, "tcp4", server.NetAddr.Transport)
	assert.Equal(t, "server.crt", server.TLS.Get().CertFile)
	assert.Equal(t, []string{"https://*.example.com"}, server.CORS.Get().AllowedOrigins)
	assert.Equal(t, 600, server.CORS.Get().MaxAge)
	assert.Equal(t, "basicauth/api", server.Auth.Get().Config.AuthenticatorID.String())
	assert.EqualValues(t, 1<<20, server.MaxRequestBodySize)
	assert.True(t, server.IncludeMetadata)
	served, _ := server.ResponseHeaders.Get("X-Served-By")
	assert.EqualValues(t, "edge-7", served)
	assert.Equal(t, []string{"gzip"}, server.CompressionAlgorithms)
	assert.Equal(t, 10*time.Second, server.ReadTimeout)
	assert.Equal(t, 5*time.Second, server.ReadHeaderTimeout)
	assert.Equal(t, 20*time.Second, server.WriteTimeout)
	assert.Equal(t, 90*time.Second, idleTimeout(t, cfg))

	assert.Equal(t, 2*time.Second, cfg.TimeoutConfig.Timeout)
	queue := cfg.QueueConfig.Get()
	require.NotNil(t, queue)
	assert.EqualValues(t, 50, queue.QueueSize)
	assert.Equal(t, 2, queue.NumConsumers)
	assert.True(t, queue.BlockOnOverflow)
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.Equal(t, 100*time.Millisecond, cfg.RetryConfig.InitialInterval)
	assert.Equal(t, time.Minute, cfg.RetryConfig.MaxElapsedTime)
	assert.Equal(t, 100, cfg.BatchSize)
	assert.Equal(t, "edge-7", cfg.SourceID)
	assert.Equal(t, "unnamed", cfg.DefaultEventType)
	assert.Equal(t, store.Options{
		Directory: "./data", SyncInterval: time.Second, MaxBytes: 20 << 30, MaxEventSize: 256 << 10, Timeout: 2 * time.Second,
	}, cfg.storeOptions())
}

func TestUnits(t *testing.T) {
	cfg := load(t, "event_store/units")
	assert.EqualValues(t, 1000, cfg.MaxEventSize)
	assert.EqualValues(t, 1_500_000_000, cfg.Retention.MaxBytes)
	assert.Zero(t, cfg.storeOptions().SyncInterval, "always")
}

// idleTimeout is what becomes of the keepalive section, which confighttp moves into
// deprecated fields.
func idleTimeout(t *testing.T, cfg *Config) time.Duration {
	t.Helper()
	server := confighttp.ServerConfig(cfg.ServerConfig)
	server.Auth = configoptional.None[confighttp.AuthConfig]() // this host has no extensions
	s, err := server.ToServer(t.Context(), nil, componenttest.NewNopTelemetrySettings(), nil)
	require.NoError(t, err)
	return s.IdleTimeout
}

// Writing the section's name is enough to have a queue, as in the Collector's exporters.
func TestQueue(t *testing.T) {
	cfg := load(t, "event_store/queue")
	assert.True(t, cfg.QueueConfig.HasValue())
	assert.False(t, cfg.QueueConfig.Get().Batch.HasValue())
}

// What is shown of a configuration is what one would write.
func TestMarshalConfig(t *testing.T) {
	for _, id := range []string{"event_store", "event_store/all", "event_store/units", "event_store/queue"} {
		cfg := load(t, id)
		conf := confmap.New()
		require.NoError(t, conf.Marshal(cfg))
		again := NewFactory().CreateDefaultConfig().(*Config)
		require.NoError(t, conf.Unmarshal(again))
		assert.Equal(t, cfg.storeOptions(), again.storeOptions(), id)
	}
	for size, want := range map[ByteSize]string{
		0: "0B", 1: "1B", 1000: "1000B", 1 << 10: "1KiB", 1536: "1536B", 10 << 30: "10GiB", 3 << 40: "3TiB", maxMaxBytes: "1EiB", -5: "-5B",
	} {
		assert.Equal(t, want, size.String())
	}
}

// Each mistake is told in one line that names the key, the value and what to write.
func TestInvalidConfig(t *testing.T) {
	disk := func(sync any) m { return m{"storage": m{"directory": "x", "sync": sync}} }
	size := func(maxBytes any) m { return m{"retention": m{"max_bytes": maxBytes}} }
	for _, tt := range []struct {
		name string
		conf m
		want string
	}{
		{"no endpoint", m{"endpoint": ""}, "`endpoint` must not be empty: leave it out for \"localhost:4380\""},
		{"no port", m{"endpoint": "localhost"}, "`endpoint` is \"localhost\": write a host and a port, such as \"localhost:4380\""},
		{"transport", m{"transport": "pigeon"}, "'transport' unsupported transport type \"pigeon\""},

		{"empty pages", m{"batch_size": 0}, "`batch_size` must be between 1 and 10000, got 0: leave it out for 10"},
		{"large pages", m{"batch_size": 10001}, "`batch_size` must be between 1 and 10000, got 10001: leave it out for 10"},
		{"pages in words", m{"batch_size": "many"}, "'batch_size' expected type 'int', got unconvertible type 'string'"},
		{"no source", m{"source_id": ""}, "`source_id` must not be empty: leave it out for \"isbl-telemetry\""},
		{
			"a source that says unknown",
			m{"source_id": "unknown_service:java"},
			"`source_id` is \"unknown_service:java\", but the prefix unknown_service marks sources without a name: choose another",
		},
		{"no event type", m{"default_event_type": ""}, "`default_event_type` must not be empty: leave it out for \"log\""},
		{"no events", m{"max_event_size": 0}, "`max_event_size` must be between 1B and 512KiB, got 0B: leave it out for 512KiB"},
		{"large events", m{"max_event_size": "1MiB"}, "`max_event_size` must be between 1B and 512KiB, got 1MiB: leave it out for 512KiB"},
		{"event size in words", m{"max_event_size": "small"}, "'max_event_size' \"small\" is not a size: write bytes, or a number with a unit such as 512KiB or 10GiB"},
		{"no time", m{"timeout": 0}, "`timeout` must be at least 1ms, got 0s: write a duration with its unit, such as 5s"},
		{"time without unit", m{"timeout": 5}, "`timeout` must be at least 1ms, got 5ns: write a duration with its unit, such as 5s"},

		{"sync, never", disk("never"), "'storage.sync' \"never\" must be always or a positive duration with its unit, such as 1s"},
		{"sync, no interval", disk("0s"), "'storage.sync' \"0s\" must be always or a positive duration with its unit, such as 1s"},
		{"sync, no unit", disk(5), "storage: `sync` is 5ns: write always, or a duration of at least 1ms with its unit, such as 1s"},
		{"sync, negative", disk(-1), "storage: `sync` is -1ns: write always, or a duration of at least 1ms with its unit, such as 1s"},
		{
			"sync in memory",
			m{"storage": m{"sync": "1s"}},
			"storage: `sync` is 1s, but events in memory are never synced: write `directory` as well, or leave `sync` out",
		},
		{"size in words", size("lots"), "'retention.max_bytes' \"lots\" is not a size: write bytes, or a number with a unit such as 512KiB or 10GiB"},
		{"negative size in words", size("-1GiB"), "'retention.max_bytes' \"-1GiB\" is not a size: write bytes, or a number with a unit such as 512KiB or 10GiB"},
		{"size too small", size("3MiB"), "retention: `max_bytes` must be between 4MiB and 1EiB, got 3MiB: leave it out for 64MiB in memory and 10GiB on disk"},
		{"size negative", size(-5), "retention: `max_bytes` must be between 4MiB and 1EiB, got -5B: leave it out for 64MiB in memory and 10GiB on disk"},
		{"size too large", size(2 << 60), "retention: `max_bytes` must be between 4MiB and 1EiB, got 2EiB: leave it out for 64MiB in memory and 10GiB on disk"},
		{"size too large in words", size("10EiB"), "'retention.max_bytes' \"10EiB\" is too large: the most is 1EiB"},

		{"queue", m{"sending_queue": m{"queue_size": -1}}, "sending_queue: `queue_size` must be positive"},
		{"retries", m{"retry_on_failure": m{"enabled": true, "multiplier": -1}}, "retry_on_failure: multiplier value must be greater than or equal to 0"},

		{"unknown", m{"batchsize": 10}, "has invalid keys: batchsize"},
		{"unknown below storage", m{"storage": m{"dir": "x"}}, "'storage' has invalid keys: dir"},
		{"not there yet", m{"retention": m{"max_age": "1h"}}, "'retention' has invalid keys: max_age"},
		{"unknown below tls", m{"tls": m{"cert": "x"}}, "has invalid keys: cert"},
		{"unknown below keepalive", m{"keepalive": m{"timeout": "1s"}}, "has invalid keys: timeout"},
		{"unknown below sending_queue", m{"sending_queue": m{"size": 1}}, "has invalid keys: size"},
		{"unknown below retry_on_failure", m{"retry_on_failure": m{"on": true}}, "'retry_on_failure' has invalid keys: on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := NewFactory().CreateDefaultConfig()
			err := confmap.NewFromStringMap(tt.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			assert.True(t, strings.HasSuffix(lines[len(lines)-1], tt.want), "%v", err)
		})
	}
}

// All mistakes are told at once.
func TestInvalidConfigs(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig()
	conf := m{"batch_size": 0, "source_id": "", "storage": m{"sync": "1s"}, "retention": m{"max_bytes": 1}}
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	err := confmap.Validate(cfg)
	for _, key := range []string{"batch_size", "source_id", "sync", "max_bytes"} {
		assert.ErrorContains(t, err, "`"+key+"`")
	}
}
