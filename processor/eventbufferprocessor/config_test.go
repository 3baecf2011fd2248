package eventbufferprocessor

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

// load reads the configuration of a file in testdata.
func load(t *testing.T, file string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := conf.Sub("event_buffer")
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func ptr[T any](v T) *T { return &v }

func TestUnmarshalConfig(t *testing.T) {
	cfg, err := load(t, "empty.yaml")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		Enabled: true, SourceID: "isbl-telemetry", DefaultEventType: "log", SamplingRate: 1, BufferSize: 1000, Overflow: "block", Ack: "stored",
		Batch: configoptional.Default(BatchConfig{MaxEvents: 1000}),
	}, cfg)
	assert.Equal(t, 10*time.Second, cfg.maxWait())
	assert.Equal(t, 1000, cfg.maxEvents())

	cfg, err = load(t, "full.yaml")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		SourceID: "eu-1", DefaultEventType: "note", EventTypes: []string{"user.*", "alert.fired"}, ExcludeEventTypes: []string{"*.debug"},
		SamplingRate: 0.5, SamplingRates: []RateConfig{
			{EventType: "alert.*", Rate: ptr(1.0)},
			{EventType: "*", MinSeverity: "ERROR2", Rate: ptr(0.25)},
		},
		BufferSize: 50000, Overflow: "block", MaxWait: ptr(2 * time.Second), Ack: "buffered", Batch: configoptional.Some(BatchConfig{MaxEvents: 500}),
	}, cfg)
	assert.Equal(t, 2*time.Second, cfg.maxWait())
	assert.Equal(t, 500, cfg.maxEvents())
}

func TestTypoIsAnError(t *testing.T) {
	for file, key := range map[string]string{"typo.yaml": "bufer_size", "typo_rate.yaml": "event_types", "typo_batch.yaml": "size"} {
		_, err := load(t, file)
		require.ErrorContains(t, err, "has invalid keys: "+key, file)
	}
}

func TestDurations(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"max_wait": "1d"}).Unmarshal(cfg))
	assert.Equal(t, 24*time.Hour, cfg.maxWait())
	err := confmap.NewFromStringMap(map[string]any{"max_wait": 5}).Unmarshal(cfg)
	require.ErrorContains(t, err, "`max_wait`: \"5\" has no unit: write 5s")
}

func TestValidate(t *testing.T) {
	batch := func(n int) configoptional.Optional[BatchConfig] {
		return configoptional.Some(BatchConfig{MaxEvents: n})
	}
	rates := func(r ...RateConfig) []RateConfig { return r }
	tests := []struct {
		name   string
		change func(*Config)
		want   []string // "" where the configuration is valid
	}{
		{name: "default", change: func(*Config) {}},
		{name: "no source", change: func(c *Config) { c.SourceID = "" }, want: []string{"`source_id` must not be empty", `leave it out for "isbl-telemetry"`}},
		{name: "unknown source", change: func(c *Config) { c.SourceID = "unknown_service:x" }, want: []string{"`source_id` is \"unknown_service:x\"", "choose another"}},
		{name: "no type", change: func(c *Config) { c.DefaultEventType = "" }, want: []string{"`default_event_type` must not be empty"}},
		{
			name: "patterns", change: func(c *Config) { c.EventTypes = []string{"user.*", ""}; c.ExcludeEventTypes = []string{" a"} },
			want: []string{"`event_types[1]` is \"\"", "`exclude_event_types[0]` is \" a\""},
		},
		{name: "rate above 1", change: func(c *Config) { c.SamplingRate = 10 }, want: []string{"`sampling_rate`: the rate 10 is not between 0 and 1", "0.1 for 10 %"}},
		{name: "rate below 0", change: func(c *Config) { c.SamplingRate = -1 }, want: []string{"`sampling_rate`: the rate -1 is not between"}},
		{name: "rate NaN", change: func(c *Config) { c.SamplingRate = math.NaN() }, want: []string{"`sampling_rate`: the rate NaN is not between"}},
		{name: "rate too small", change: func(c *Config) { c.SamplingRate = 1e-18 }, want: []string{"`sampling_rate`: the rate 1e-18 is too small", "2^-56"}},
		{name: "rate 0", change: func(c *Config) { c.SamplingRate = 0 }},
		{name: "rate without rate", change: func(c *Config) { c.SamplingRates = rates(RateConfig{EventType: "*"}) }, want: []string{"`sampling_rates[0]::rate` is missing"}},
		{name: "rates", change: func(c *Config) {
			c.SamplingRates = rates(RateConfig{EventType: "a", Rate: ptr(1.0)}, RateConfig{EventType: "", Rate: ptr(1.0)},
				RateConfig{EventType: "a", MinSeverity: "bad", Rate: ptr(1.0)}, RateConfig{EventType: "a", Rate: ptr(2.0)})
		}, want: []string{"`sampling_rates[1]::event_type` is \"\"", "`sampling_rates[2]::min_severity` is \"bad\"", "`sampling_rates[3]::rate`: the rate 2 "}},
		{name: "buffer size", change: func(c *Config) { c.BufferSize = 0 }, want: []string{"`buffer_size` is 0", "leave it out for 1000"}},
		{name: "overflow", change: func(c *Config) { c.Overflow = "drop" }, want: []string{"`overflow` is \"drop\": write block, reject, drop_oldest or drop_newest"}},
		{name: "ack", change: func(c *Config) { c.Ack = "yes" }, want: []string{"`ack` is \"yes\": write stored or buffered"}},
		{name: "drop_oldest, stored", change: func(c *Config) { c.Overflow = "drop_oldest" }, want: []string{"`overflow: drop_oldest`", "write `ack: buffered` as well"}},
		{name: "drop_newest, stored", change: func(c *Config) { c.Overflow = "drop_newest" }, want: []string{"`overflow: drop_newest`", "write `ack: buffered` as well"}},
		{name: "drop_oldest, buffered", change: func(c *Config) { c.Overflow, c.Ack = "drop_oldest", "buffered" }},
		{name: "drop_newest, buffered", change: func(c *Config) { c.Overflow, c.Ack = "drop_newest", "buffered" }},
		{name: "reject, stored", change: func(c *Config) { c.Overflow = "reject" }},
		{name: "reject, buffered", change: func(c *Config) { c.Overflow, c.Ack = "reject", "buffered" }},
		{name: "batch, stored", change: func(c *Config) { c.Batch = batch(1000) }, want: []string{"`batch` has no effect with `ack: stored`", "write `ack: buffered`"}},
		{name: "batch, buffered", change: func(c *Config) { c.Batch, c.Ack = batch(1), "buffered" }},
		{name: "empty batches", change: func(c *Config) { c.Batch, c.Ack = batch(0), "buffered" }, want: []string{"`batch::max_events` is 0", "leave it out for 1000"}},
		{name: "wait", change: func(c *Config) { c.MaxWait = ptr(time.Second) }},
		{name: "no wait", change: func(c *Config) { c.MaxWait = ptr(time.Duration(0)) }, want: []string{"`max_wait` is 0s", "`overflow: reject`"}},
		{
			name: "wait, reject", change: func(c *Config) { c.Overflow, c.MaxWait = "reject", ptr(10*time.Second) },
			want: []string{"`max_wait` is 10s, but nothing waits with `overflow: reject`", "write `overflow: block`"},
		},
		{name: "everything at once", change: func(c *Config) { c.BufferSize, c.Ack, c.SourceID = 0, "", "" }, want: []string{"`buffer_size`", "`ack`", "`source_id`"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			tt.change(cfg)
			err := confmap.Validate(cfg)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
