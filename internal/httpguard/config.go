package httpguard

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/units"
)

const (
	defaultMinBytesPerSecond = 1000
	defaultWindow            = 30 * time.Second
	minWindow                = time.Millisecond
)

// Config holds the keys of the guard. Components squash it beside those of confighttp.
type Config struct {
	// AllowedHosts are more values of the Host header that a loopback listener without TLS
	// and authentication serves: a name, *.name for the names below it, or * for all. Ports
	// do not count. Other listeners serve every host.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// SlowBody bounds how slowly a request body may arrive.
	SlowBody SlowBodyConfig `mapstructure:"slow_body"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SlowBodyConfig bounds how slowly a request body may arrive.
type SlowBodyConfig struct {
	// MinBytesPerSecond is the lowest average rate, before decompression. Zero sets no bound.
	// The default is 1000.
	MinBytesPerSecond int `mapstructure:"min_bytes_per_second"`
	// Window is the time over which the rate is measured. The default is 30s.
	Window time.Duration `mapstructure:"window"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// NewDefaultConfig returns the defaults.
func NewDefaultConfig() Config {
	return Config{SlowBody: SlowBodyConfig{MinBytesPerSecond: defaultMinBytesPerSecond, Window: defaultWindow}}
}

// DefaultCORS returns the section cors of a port, which is off until it is written. The origin of a
// page decides whether it may send requests: one that may can send any header, so that CloudEvents
// with extensions, traceparent and authorization work. Its scripts may read the exposed headers.
func DefaultCORS(exposed ...string) configoptional.Optional[confighttp.CORSConfig] {
	cors := confighttp.NewDefaultCORSConfig()
	cors.AllowedHeaders = []string{"*"}
	cors.ExposedHeaders = exposed
	return configoptional.Default(cors)
}

// Unmarshal reads durations with days and weeks, and none without a unit.
func (cfg *SlowBodyConfig) Unmarshal(conf *confmap.Conf) error {
	if err := units.Durations(conf, "window"); err != nil {
		return err
	}
	return conf.Unmarshal(cfg)
}

// Validate reports every entry that matches no Host header.
func (cfg *Config) Validate() error {
	var errs []error
	for i, host := range cfg.AllowedHosts {
		name := strings.TrimPrefix(host, "*.")
		if host == "*" || name != "" && !strings.ContainsAny(name, "*/@ []") && hostname(name) == fold(name) {
			continue
		}
		errs = append(errs, fmt.Errorf(
			"`allowed_hosts[%d]` is %q: write a host name or an address without scheme and port, such as events.example.com, or *.example.com", i, host))
	}
	return errors.Join(errs...)
}

// Validate reports every key whose value cannot work.
func (cfg *SlowBodyConfig) Validate() error {
	var errs []error
	if cfg.MinBytesPerSecond < 0 {
		errs = append(errs, fmt.Errorf("`min_bytes_per_second` must not be negative, got %d: leave it out for %d, or write 0 for no bound",
			cfg.MinBytesPerSecond, defaultMinBytesPerSecond))
	}
	if cfg.Window < minWindow {
		errs = append(errs, fmt.Errorf("`window` must be at least %v, got %v: write a duration with its unit, or leave it out for %v",
			minWindow, cfg.Window, defaultWindow))
	}
	return errors.Join(errs...)
}
