package telemetry_test

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "telemetry.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const full = `
enabled: false
buffer_size: 50
buffer_bytes: 1048576
batch_size: 5
source_id: eu-1
default_event_type: note
event_types: ["user.*", alert.fired]
exclude_event_types:
  - "*.debug"
sampling_rate: 0.5
sampling_rates:
  - {event_type: "alert.*", rate: 1}
  - min_severity: ERROR2
    rate: 0.25
overflow: block
`

func fullConfig() telemetry.Config {
	return telemetry.Config{
		BufferSize: 50, BufferBytes: 1 << 20, BatchSize: 5, SourceID: "eu-1", DefaultEventType: "note",
		EventTypes: []string{"user.*", "alert.fired"}, ExcludeEventTypes: []string{"*.debug"},
		SamplingRate: 0.5, SamplingRates: []telemetry.SamplingRate{{EventType: "alert.*", Rate: 1}, {EventType: "*", MinSeverity: "ERROR2", Rate: 0.25}},
		Overflow: telemetry.Block,
	}
}

func TestLoadConfig(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comments": "# nothing\n", "null": "null", "empty values": "buffer_size:\nsource_id: ~\n"} {
		got, err := telemetry.LoadConfig(file(t, text))
		require.NoError(t, err, name)
		assert.Equal(t, telemetry.DefaultConfig(), got, name)
	}
	got, err := telemetry.LoadConfig("")
	require.NoError(t, err)
	assert.Equal(t, telemetry.DefaultConfig(), got)
	got, err = telemetry.LoadConfig(file(t, full))
	require.NoError(t, err)
	assert.Equal(t, fullConfig(), got)
	_, err = telemetry.New(telemetry.WithConfig(got))
	require.NoError(t, err)

	got, err = telemetry.LoadConfig(file(t, `{"buffer_size": 7, "event_types": ["a"]}`))
	require.NoError(t, err, "JSON is YAML")
	assert.Equal(t, 7, got.BufferSize)
}

func TestEnvironmentIsOnTop(t *testing.T) {
	for name, value := range map[string]string{
		"ENABLED": "false", "BUFFER_SIZE": "50", "BUFFER_BYTES": "1048576", "BATCH_SIZE": "5", "SOURCE_ID": "eu-1", "DEFAULT_EVENT_TYPE": "note",
		"EVENT_TYPES": "user.*, alert.fired", "EXCLUDE_EVENT_TYPES": "*.debug", "SAMPLING_RATE": "0.5",
		"SAMPLING_RATES": `[{event_type: "alert.*", rate: 1}, {"min_severity": "ERROR2", "rate": 0.25}]`, "OVERFLOW": "block",
	} {
		t.Setenv("TELEMETRY_"+name, value)
	}
	for name, path := range map[string]string{"no file": "", "a file": file(t, "buffer_size: 1\nsource_id: other\nevent_types: [x]\n")} {
		got, err := telemetry.LoadConfig(path)
		require.NoError(t, err, name)
		assert.Equal(t, fullConfig(), got, name)
	}
	t.Setenv("TELEMETRY_SOURCE_ID", "12") // a name, though a number in YAML
	t.Setenv("TELEMETRY_EVENT_TYPES", `['a\,b', c]`)
	t.Setenv("TELEMETRY_EXCLUDE_EVENT_TYPES", "")
	got, err := telemetry.LoadConfig(file(t, "exclude_event_types: [x]"))
	require.NoError(t, err)
	assert.Equal(t, "12", got.SourceID)
	assert.Equal(t, []string{`a\,b`, "c"}, got.EventTypes)
	assert.Empty(t, got.ExcludeEventTypes, "an empty list is one")
	t.Setenv("TELEMETRY_EVENT_TYPES", `a\,b, c`)
	got, err = telemetry.LoadConfig("")
	require.NoError(t, err)
	assert.Equal(t, []string{`a\,b`, "c"}, got.EventTypes)
}

func TestEnvironmentPrefix(t *testing.T) {
	t.Setenv("TELEMETRY_NOT_OURS", "x")
	t.Setenv("SHOP_EVENTS_BUFFER_SIZE", "50")
	got, err := telemetry.LoadConfig("", telemetry.WithEnvironmentPrefix("SHOP_EVENTS_"))
	require.NoError(t, err)
	assert.Equal(t, 50, got.BufferSize)
	got, err = telemetry.LoadConfig("", telemetry.WithEnvironmentPrefix(""))
	require.NoError(t, err)
	assert.Equal(t, telemetry.DefaultConfig(), got, "no variable is read")
	t.Setenv("SHOP_EVENTS_SIZE", "50")
	_, err = telemetry.LoadConfig("", telemetry.WithEnvironmentPrefix("SHOP_EVENTS_"))
	require.ErrorContains(t, err, "environment variable SHOP_EVENTS_SIZE is no setting: write one of SHOP_EVENTS_ENABLED, ")
	for _, wrong := range []string{"shop_", "SHOP", "_", "SHOP-"} {
		_, err = telemetry.LoadConfig("", telemetry.WithEnvironmentPrefix(wrong))
		require.ErrorIs(t, err, telemetry.ErrInvalidConfig, wrong)
		require.ErrorContains(t, err, "write upper-case letters, and _ at the end, like SHOP_")
	}
}

func TestLoadConfigErrors(t *testing.T) {
	_, err := telemetry.LoadConfig(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, telemetry.ErrInvalidConfig)
	for _, tt := range []struct{ text, want string }{
		{"bufer_size: 10", "telemetry.yaml:1: `bufer_size` is no setting: write one of enabled, buffer_size, buffer_bytes, batch_size, "},
		{"\nbuffer_size: ten", "telemetry.yaml:2: `buffer_size` is \"ten\": write a whole number of events"},
		{"buffer_size: 1.5", "`buffer_size` is \"1.5\": write a whole number"},
		{"buffer_size: 0", "`buffer_size` is 0, but must be at least 1: leave it out for 1000"},
		{"buffer_bytes: 1000", "`buffer_bytes` is 1000, but must be at least 524288, which one event may have: leave it out for no bound"},
		{"batch_size: -1", "`batch_size` is -1, but must be at least 1: leave it out for 10"},
		{"enabled: perhaps", "`enabled` is \"perhaps\": write true or false"},
		{"sampling_rate: a lot", "`sampling_rate` is \"a lot\": write the share of events to keep"},
		{"event_types: {a: b}", "`event_types` does not fit: write a list of patterns"},
		{"source_id: a\nsource_id: b", "telemetry.yaml:2: `source_id` is written on line 1 already: remove one"},
		{"- a", "telemetry.yaml:1: must hold lines of the form `key: value`"},
		{"a: [", "telemetry.yaml: yaml: "},
		{"sampling_rates: [{event_types: a, rate: 1}]", "`event_types` is no setting: write one of event_type, min_severity, rate"},
		{"sampling_rates: [{event_type: a}]", "line 1: `rate` is missing: write the share of events to keep, 0.1 for 10 %"},
		{"sampling_rates: [{event_type: '', rate: 1}]", "`event_type` is \"\": write a pattern, or leave it out"},
		{"sampling_rates: [0.5]", "must be an entry like {event_type"},
		{"sampling_rates: [{rate: many}]", "`rate` is \"many\": write the share"},
		{"sampling_rates:\n  - rate: 1\n    rate: 0", "line 3: `rate` is written twice: remove one of them"},
		{"enabled: true\n---\nenabled: false", "telemetry.yaml:2: a second document starts here: write all keys in one"},
	} {
		_, err := telemetry.LoadConfig(file(t, tt.text))
		require.ErrorIs(t, err, telemetry.ErrInvalidConfig, tt.text)
		require.ErrorContains(t, err, tt.want)
	}

	for name, tt := range map[string]struct{ value, want string }{
		"TELEMETRY_BUFER_SIZE":  {"1", "environment variable TELEMETRY_BUFER_SIZE is no setting: write one of TELEMETRY_ENABLED, TELEMETRY_BUFFER_SIZE, "},
		"TELEMETRY_buffer_size": {"1", "environment variable TELEMETRY_buffer_size is no setting: write one of TELEMETRY_ENABLED"},
		"TELEMETRY_BUFFER_SIZE": {"ten", `environment variable TELEMETRY_BUFFER_SIZE is "ten": write a whole number`},
		"TELEMETRY_ENABLED":     {"", `environment variable TELEMETRY_ENABLED is "": write true or false`},
		"TELEMETRY_BATCH_SIZE":  {"[", `environment variable TELEMETRY_BATCH_SIZE is "[": write a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, tt.value)
			_, err := telemetry.LoadConfig("")
			require.ErrorIs(t, err, telemetry.ErrInvalidConfig)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAllThatIsWrongIsNamed(t *testing.T) {
	t.Setenv("TELEMETRY_BATCH_SIZE", "x")
	_, err := telemetry.LoadConfig(file(t, "a: 1\nb: 2\nenabled: 3"))
	for _, want := range []string{"`a` is no setting", "`b` is no setting", "`enabled` is \"3\"", "TELEMETRY_BATCH_SIZE is \"x\""} {
		require.ErrorContains(t, err, want)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		option telemetry.Option
		want   []string
	}{
		{telemetry.WithConfig(telemetry.Config{}), []string{"`buffer_size` is 0", "`batch_size` is 0", "`source_id` must not be empty", "`default_event_type` must not be empty", "`overflow` is \"\""}},
		{telemetry.WithSourceID("unknown_service:x"), []string{"`source_id` is \"unknown_service:x\"", "choose another"}},
		{telemetry.WithEventTypes("user.*", ""), []string{"`event_types[1]` is \"\": a pattern must not be empty"}},
		{telemetry.WithoutEventTypes(" a"), []string{"`exclude_event_types[0]` is \" a\""}},
		{telemetry.WithSamplingRate(10), []string{"`sampling_rate`: the rate 10 is not between 0 and 1", "0.1 for 10 %"}},
		{telemetry.WithSamplingRate(math.NaN()), []string{"`sampling_rate`: the rate NaN"}},
		{telemetry.WithSamplingRates(
			telemetry.SamplingRate{EventType: " ", Rate: 1}, telemetry.SamplingRate{MinSeverity: "loud", Rate: 1}, telemetry.SamplingRate{Rate: 2},
		), []string{"`sampling_rates[0]::event_type` is \" \"", "`sampling_rates[1]::min_severity` is \"loud\": write trace", "`sampling_rates[2]::rate`: the rate 2"}},
		{telemetry.WithOverflow("drop"), []string{"`overflow` is \"drop\": write drop_oldest, drop_newest, reject or block"}},
	} {
		_, err := telemetry.New(tt.option)
		require.ErrorIs(t, err, telemetry.ErrInvalidConfig)
		for _, want := range tt.want {
			require.ErrorContains(t, err, want)
		}
	}
	_, err := telemetry.New(telemetry.WithBufferSize(0), nil, telemetry.WithBufferSize(1))
	require.NoError(t, err, "the last option wins")
}

func TestOptionsAreTheKeys(t *testing.T) {
	want, err := telemetry.LoadConfig(file(t, full))
	require.NoError(t, err)
	s, err := telemetry.New(telemetry.WithEnabled(want.Enabled), telemetry.WithBufferSize(want.BufferSize), telemetry.WithBufferBytes(want.BufferBytes), telemetry.WithBatchSize(want.BatchSize),
		telemetry.WithSourceID(want.SourceID), telemetry.WithDefaultEventType(want.DefaultEventType), telemetry.WithEventTypes(want.EventTypes...),
		telemetry.WithoutEventTypes(want.ExcludeEventTypes...), telemetry.WithSamplingRate(want.SamplingRate),
		telemetry.WithSamplingRates(want.SamplingRates...), telemetry.WithOverflow(want.Overflow))
	require.NoError(t, err)
	assert.Equal(t, want, s.Configuration())
}
