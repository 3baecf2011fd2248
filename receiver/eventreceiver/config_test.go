package eventreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestDefaultConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, "isbl-telemetry", cfg.SourceID)
	assert.Equal(t, "log", cfg.DefaultEventType)
	assert.Equal(t, 100_000, cfg.MaxEvents)
	assert.False(t, cfg.Protocols.GRPC.HasValue(), "a protocol that is not written is off")
	assert.False(t, cfg.Protocols.HTTP.HasValue(), "a protocol that is not written is off")
	assert.False(t, cfg.Protocols.Events.HasValue(), "a protocol that is not written is off")
	assert.Equal(t, ProblemsConfig{Keep: 10, Past: 720 * time.Hour, Future: time.Hour}, cfg.Problems)
}

// Writing a protocol's name is enough to have it with its defaults, as in the otlp receiver.
func TestDefaultProtocols(t *testing.T) {
	for _, file := range []string{"null.yaml", "empty.yaml"} {
		t.Run(file, func(t *testing.T) {
			cfg := load(t, file)
			require.NoError(t, confmap.Validate(cfg))
			require.True(t, cfg.Protocols.GRPC.HasValue())
			require.True(t, cfg.Protocols.HTTP.HasValue())

			assert.Equal(t, "localhost:4317", cfg.Protocols.GRPC.Get().ServerConfig.NetAddr.Endpoint)
			http := cfg.Protocols.HTTP.Get()
			assert.Equal(t, "localhost:4318", http.ServerConfig.NetAddr.Endpoint)
			assert.EqualValues(t, "/v1/logs", http.LogsURLPath)
			assert.EqualValues(t, 20<<20, http.ServerConfig.MaxRequestBodySize)

			require.True(t, cfg.Protocols.Events.HasValue())
			events := cfg.Protocols.Events.Get()
			assert.Equal(t, "localhost:4319", events.ServerConfig.NetAddr.Endpoint)
			assert.EqualValues(t, 4<<20, events.ServerConfig.MaxRequestBodySize)
			assert.False(t, events.AllOrNothing)
			assert.Equal(t, LimitsConfig{MaxAttributes: 1000, MaxDepth: 64, MaxStringBytes: 256 << 10}, events.Limits)
		})
	}
}

func TestFullConfig(t *testing.T) {
	cfg := load(t, "full.yaml")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, "edge-7", cfg.SourceID)
	assert.Equal(t, "unnamed", cfg.DefaultEventType)

	grpc := cfg.Protocols.GRPC.Get().ServerConfig
	assert.Equal(t, "0.0.0.0:5317", grpc.NetAddr.Endpoint)
	assert.Equal(t, 8, grpc.MaxRecvMsgSizeMiB)
	assert.True(t, grpc.TLS.HasValue())
	assert.True(t, grpc.Auth.HasValue())

	http := cfg.Protocols.HTTP.Get()
	assert.Equal(t, "0.0.0.0:5318", http.ServerConfig.NetAddr.Endpoint)
	assert.EqualValues(t, 1<<20, http.ServerConfig.MaxRequestBodySize)
	assert.EqualValues(t, "/events/logs", http.LogsURLPath)
	assert.True(t, http.ServerConfig.TLS.HasValue())
	assert.True(t, http.ServerConfig.CORS.HasValue())

	events := cfg.Protocols.Events.Get()
	assert.Equal(t, "0.0.0.0:5319", events.ServerConfig.NetAddr.Endpoint)
	assert.EqualValues(t, 2<<20, events.ServerConfig.MaxRequestBodySize)
	assert.Equal(t, 5*time.Second, events.ServerConfig.IdleTimeout) //nolint:staticcheck // where confighttp keeps what keepalive says
	assert.True(t, events.ServerConfig.CORS.HasValue())
	assert.True(t, events.AllOrNothing)
	assert.Equal(t, LimitsConfig{MaxAttributes: 50, MaxDepth: 8, MaxStringBytes: 1024}, events.Limits)
	assert.Equal(t, ProblemsConfig{Keep: 20, Redact: true, Past: 24 * time.Hour, Future: time.Minute}, cfg.Problems)
}

func TestUnknownKeys(t *testing.T) {
	tests := []struct{ file, want string }{
		{"typo.yaml", "'protocols' has invalid keys: htttp"},
		{"typo_key.yaml", "has invalid keys: sourceid"},
		{"typo_events.yaml", "has invalid keys: all_or_none"},
		{"typo_limits.yaml", "'limits' has invalid keys: max_event"},
		{"typo_http.yaml", "has invalid keys: logs_path"},
		{"typo_grpc.yaml", "has invalid keys: max_recv_msg_size"},
		{"traces_path.yaml", "`traces_url_path` has no meaning here, since this receiver takes logs only: leave it out"},
		{"old_max_events.yaml", "`limits::max_events` is `max_events` of the receiver now, and bounds the requests of every protocol: move it there"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			conf, err := confmaptest.LoadConf(filepath.Join("testdata", tt.file))
			require.NoError(t, err)
			assert.ErrorContains(t, conf.Unmarshal(createDefaultConfig()), tt.want)
		})
	}
}

func TestValidate(t *testing.T) {
	type m = map[string]any
	tests := []struct {
		name string
		conf m
		want string
	}{
		{"nothing", m{}, "`protocols` names no protocol: write `grpc:`, `http:`, `events:` or several of them below it"},
		{"no protocol", m{"protocols": m{}}, "`protocols` names no protocol"},
		{
			"both switched off",
			m{"protocols": m{"grpc": m{"enabled": false}, "http": m{"enabled": false}}},
			"`protocols` names no protocol",
		},
		{
			"no source",
			m{"protocols": m{"grpc": nil}, "source_id": ""},
			"`source_id` must not be empty: leave it out for \"isbl-telemetry\"",
		},
		{
			"a source that says unknown",
			m{"protocols": m{"grpc": nil}, "source_id": "unknown_service:java"},
			"`source_id` is \"unknown_service:java\", but the prefix unknown_service marks sources without a name: choose another",
		},
		{
			"no event type",
			m{"protocols": m{"grpc": nil}, "default_event_type": ""},
			"`default_event_type` must not be empty: leave it out for \"log\"",
		},
		{
			"no limit",
			m{"protocols": m{"http": m{"max_request_body_size": 0}}},
			"protocols::http: `max_request_body_size` must be positive, got 0: leave it out for 20971520 bytes",
		},
		{
			"the otlp receiver's own checks",
			m{"protocols": m{"grpc": m{"max_recv_msg_size_mib": -1}}},
			"protocols::grpc: invalid max_recv_msg_size_mib value",
		},
		{
			"no limit of events",
			m{"protocols": m{"events": m{"max_request_body_size": 0}}},
			"protocols::events: `max_request_body_size` must be positive, got 0: leave it out for 4194304 bytes",
		},
		{"no events", m{"protocols": m{"events": nil}, "max_events": 0}, "`max_events` must be positive, got 0: leave it out for 100000"},
		{
			"a coding that does not exist",
			m{"protocols": m{"http": m{"compression_algorithms": []any{"", "gzip", "brotli"}}}},
			"`compression_algorithms` names \"brotli\": write some of gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4, or leave it out for all",
		},
		{"slow without a unit", m{"protocols": m{"grpc": m{"slow_body": m{"window": 30}}}}, "`window`: \"30\" has no unit: write 30s"},
		{"no attributes", m{"protocols": m{"events": m{"limits": m{"max_attributes": -1}}}}, "`max_attributes` must be positive, got -1: leave it out for 1000"},
		{"no strings", m{"protocols": m{"events": m{"limits": m{"max_string_bytes": 0}}}}, "`max_string_bytes` must be positive, got 0: leave it out for 262144"},
		{"too deep", m{"protocols": m{"events": m{"limits": m{"max_depth": 65}}}}, "`max_depth` must be between 1 and 64, got 65: leave it out for 64"},
		{"no examples", m{"protocols": m{"events": nil}, "problems": m{"keep": 0}}, "problems: `keep` must be between 1 and 1000, got 0: leave it out for 10"},
		{"no unit", m{"protocols": m{"events": nil}, "problems": m{"past": 30}}, "`past`: \"30\" has no unit: write 30s"},
		{"no future", m{"protocols": m{"events": nil}, "problems": m{"future": "0s"}}, "problems: `future` must be at least 1ms, got 0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig()
			err := confmap.NewFromStringMap(tt.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func load(t *testing.T, file string) *Config {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	return cfg
}
