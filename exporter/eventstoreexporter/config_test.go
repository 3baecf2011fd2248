package eventstoreexporter

import (
	"fmt"
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
	"github.com/isbl/telemetry/internal/store/log/remote"
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
	assert.False(t, cfg.Storage.NATS.HasValue())
	assert.False(t, cfg.Deduplicate.HasValue())
	assert.Equal(t, store.Options{MaxEventSize: 512 << 10, Timeout: 5 * time.Second}, options(t, cfg))
}

// options are what the store is opened with.
func options(t *testing.T, cfg *Config) store.Options {
	t.Helper()
	opts, err := cfg.storeOptions(t.Context())
	require.NoError(t, err)
	return opts
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
		WithoutContent: true,
	}, options(t, cfg))
	assert.False(t, options(t, load(t, "event_store")).WithoutContent)
}

func TestRetentionKeys(t *testing.T) {
	assert.Equal(t, store.Options{
		MaxBytes: 32 << 20, MaxAge: 168 * time.Hour, MaxEvents: 1_000_000, RejectNew: true,
		Deduplicate:  store.Deduplicate{MaxEvents: 5000, MaxAge: time.Hour},
		MaxEventSize: 512 << 10, Timeout: 5 * time.Second,
	}, options(t, load(t, "event_store/retention")))
	assert.Equal(t, store.Deduplicate{MaxEvents: 100_000, MaxAge: 10 * time.Minute},
		options(t, load(t, "event_store/deduplicate")).Deduplicate, "the section's name is enough")
}

func TestNATSKeys(t *testing.T) {
	cfg := load(t, "event_store/nats")
	opts := options(t, cfg)
	assert.Equal(t, &remote.Options{
		Servers: []string{"nats://one:4222", "tls://two:4222"}, Username: "ada", Password: "secret", Stream: "ORDERS", Replicas: 3,
		ConnectWait: 30 * time.Second,
	}, opts.NATS)
	assert.Equal(t, 24*time.Hour, opts.MaxAge)
	assert.Equal(t, 15*time.Second, opts.Timeout, "longer than an election")
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	assert.Equal(t, "[REDACTED]", fmt.Sprint(conf.Get("storage::nats::password")))

	assert.Equal(t, &remote.Options{Servers: []string{"nats://localhost:4222"}, Stream: "ISBL_EVENTS", ConnectWait: 30 * time.Second},
		options(t, load(t, "event_store/nats_defaults")).NATS)
}

func TestUnits(t *testing.T) {
	cfg := load(t, "event_store/units")
	assert.EqualValues(t, 1000, cfg.MaxEventSize)
	assert.EqualValues(t, 1_500_000_000, cfg.Retention.MaxBytes)
	assert.Zero(t, options(t, cfg).SyncInterval, "always")
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
	for _, id := range []string{"event_store", "event_store/all", "event_store/units", "event_store/queue", "event_store/retention"} {
		cfg := load(t, id)
		conf := confmap.New()
		require.NoError(t, conf.Marshal(cfg))
		for _, section := range []string{"sending_queue", "deduplicate", "storage::nats"} {
			if conf.Get(section) == nil { // the Collector shows what is off like this, and reads it as on
				conf.Delete(section)
			}
		}
		again := NewFactory().CreateDefaultConfig().(*Config)
		require.NoError(t, conf.Unmarshal(again))
		assert.Equal(t, options(t, cfg), options(t, again), id)
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
	retention := func(key string, value any) m { return m{"retention": m{key: value}} }
	nats := func(conf m) m { return m{"storage": m{"nats": conf}} }
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
		{"no scan", m{"max_scan": 0}, "`max_scan` must be at least 1, got 0: leave it out for 10000000"},
		{"no events", m{"max_event_size": 0}, "`max_event_size` must be between 1B and 512KiB, got 0B: leave it out for 512KiB"},
		{"large events", m{"max_event_size": "1MiB"}, "`max_event_size` must be between 1B and 512KiB, got 1MiB: leave it out for 512KiB"},
		{"event size in words", m{"max_event_size": "small"}, "'max_event_size' \"small\" is not a size: write bytes, or a number with a unit such as 512KiB or 10GiB"},
		{"no time", m{"timeout": 0}, "`timeout` must be at least 1ms, got 0s: write a duration with its unit, such as 5s"},
		{"time without unit", m{"timeout": 5}, "`timeout`: \"5\" has no unit: write 5s"},

		{"sync, never", disk("never"), "'storage.sync' \"never\" must be always or a positive duration with its unit, such as 1s"},
		{"sync, no interval", disk("0s"), "'storage.sync' \"0s\" must be always or a positive duration with its unit, such as 1s"},
		{"sync, no unit", disk(5), "`storage::sync` has no unit: write always, or a duration such as 1s"},
		{"sync, negative", disk(-1), "`storage::sync` has no unit: write always, or a duration such as 1s"},
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

		{
			"age without unit",
			retention("max_age", 7),
			"`retention::max_age`: \"7\" has no unit: write 7s",
		},
		{"negative number", retention("max_events", -1), "retention: `max_events` must not be negative, got -1: leave it out for no bound"},
		{"full", retention("when_full", "block"), "retention: `when_full` is \"block\": write discard_old or reject_new"},
		{
			"no ids",
			m{"deduplicate": m{"max_events": 0}},
			"deduplicate: `max_events` must be between 1 and 10000000, got 0: leave it out for 100000",
		},
		{"ids for no time", m{"deduplicate": m{"max_age": "0s"}}, "deduplicate: `max_age` must be at least 1s, got 0s: leave it out for 10m0s"},
		{"no server", nats(m{"urls": []string{}}), "storage::nats: `urls` must not be empty: leave it out for [\"nats://localhost:4222\"]"},
		{
			"no URL",
			nats(m{"urls": []string{"nats://a:4222", "http://b"}}),
			"storage::nats: `urls[1]` is \"http://b\": write nats://host:4222 or tls://host:4222",
		},
		{
			"two ways in",
			nats(m{"username": "ada", "token": "x"}),
			"storage::nats: of `credentials_file`, `username` and `token` only one can be used: leave the others out",
		},
		{"password alone", nats(m{"password": "x"}), "storage::nats: `password` needs `username`: write it as well"},
		{
			"stream",
			nats(m{"stream": "my.events"}),
			"storage::nats: `stream` is \"my.events\": write a name without spaces and without . * > / \\, such as ISBL_EVENTS",
		},
		{
			"wildcard in api_prefix", nats(m{"api_prefix": "JS.>"}),
			"storage::nats: `api_prefix` is \"JS.>\": write the subject under which the account imports $JS.API, such as JS.events",
		},
		{
			"domain with a dot", nats(m{"domain": "my.hub"}),
			"storage::nats: `domain` is \"my.hub\": write the name of a domain of JetStream, such as hub",
		},
		{
			"domain and api_prefix", nats(m{"domain": "hub", "api_prefix": "JS.hub"}),
			"storage::nats: of `api_prefix` and `domain` only one can be used: `domain: hub` is `api_prefix: $JS.hub.API`",
		},
		{"replicas", nats(m{"replicas": 7}), "storage::nats: `replicas` must be between 1 and 5, got 7: leave it out for 1"},
		{
			"two places",
			m{"storage": m{"nats": m{}, "directory": "x"}},
			"storage: `directory` is \"x\", but `nats` keeps the events elsewhere: leave one of them out",
		},
		{
			"sync of a server",
			m{"storage": m{"nats": m{}, "sync": "1s"}},
			"storage: `sync` is 1s, but the NATS server's configuration decides that (`sync_interval`): leave `sync` out",
		},

		{"queue", m{"sending_queue": m{"queue_size": -1}}, "sending_queue: `queue_size` must be positive"},
		{"retries", m{"retry_on_failure": m{"enabled": true, "multiplier": -1}}, "retry_on_failure: multiplier value must be greater than or equal to 0"},

		{"unknown", m{"batchsize": 10}, "has invalid keys: batchsize"},
		{"unknown below storage", m{"storage": m{"dir": "x"}}, "'storage' has invalid keys: dir"},
		{"unknown below retention", m{"retention": m{"age": "1h"}}, "'retention' has invalid keys: age"},
		{"unknown below nats", m{"storage": m{"nats": m{"url": "x"}}}, "has invalid keys: url"},
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
