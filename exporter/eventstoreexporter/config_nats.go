package eventstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/isbl/telemetry/internal/store/log/remote"
)

const (
	defaultNATSURL = "nats://localhost:4222"
	maxReplicas    = 5
	// defaultNATSTimeout is longer than the election of a leader, which takes up to seven seconds.
	defaultNATSTimeout = 15 * time.Second
	defaultConnectWait = 30 * time.Second
)

// NATSURL is the URL of a server. It may have a user and a password, which are not shown where it
// is printed or written as text.
type NATSURL string

// String returns the URL without user and password.
func (u NATSURL) String() string { return remote.Redacted(string(u)) }

// GoString returns what String does, in quotes.
func (u NATSURL) GoString() string { return fmt.Sprintf("%q", u.String()) }

// MarshalText returns what String does: so a configuration is printed.
func (u NATSURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// NATSConfig is a NATS server or cluster with JetStream that runs already. Several
// collectors may share one stream: each stores what it is sent and serves all.
type NATSConfig struct {
	// URLs are the servers, nats://host:4222 or tls://host:4222. The default is
	// nats://localhost:4222.
	URLs []NATSURL `mapstructure:"urls"`
	// CredentialsFile, Username with Password, or Token: how to get in.
	CredentialsFile string              `mapstructure:"credentials_file"`
	Username        string              `mapstructure:"username"`
	Password        configopaque.String `mapstructure:"password"`
	Token           configopaque.String `mapstructure:"token"`
	// TLS is for servers whose certificate needs more than the system's roots, or that want
	// one of the client.
	TLS configoptional.Optional[configtls.ClientConfig] `mapstructure:"tls"`
	// Stream is the stream's name; it is created if need be. The default is ISBL_EVENTS.
	Stream string `mapstructure:"stream"`
	// Replicas is how many copies a cluster keeps, 1 to 5. Zero, the default, is 1, or what
	// an existing stream has.
	Replicas int `mapstructure:"replicas"`
	// APIPrefix and Domain say where JetStream is, if neither this account nor this server has it:
	// an account that imports it under a prefix, or the domain behind a leaf node. At most one is
	// set.
	APIPrefix string `mapstructure:"api_prefix"`
	Domain    string `mapstructure:"domain"`
	// ConnectWait is how long the start waits for a server that can be reached. Zero ends the start
	// at once.
	ConnectWait time.Duration `mapstructure:"connect_wait"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate checks the section.
func (cfg *NATSConfig) Validate() error {
	var errs []error
	if len(cfg.URLs) == 0 {
		errs = append(errs, fmt.Errorf("`urls` must not be empty: leave it out for [%q]", defaultNATSURL))
	}
	for i, text := range cfg.URLs {
		u, err := url.Parse(string(text))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			errs = append(errs, fmt.Errorf("`urls[%d]` is %q: write nats://host:4222 or tls://host:4222", i, text))
		}
	}
	ways := 0
	for _, used := range []bool{cfg.CredentialsFile != "", cfg.Username != "", cfg.Token != ""} {
		if used {
			ways++
		}
	}
	if ways > 1 {
		errs = append(errs, errors.New("of `credentials_file`, `username` and `token` only one can be used: leave the others out"))
	}
	if cfg.Password != "" && cfg.Username == "" {
		errs = append(errs, errors.New("`password` needs `username`: write it as well"))
	}
	if cfg.Stream == "" || strings.ContainsAny(cfg.Stream, " \t\r\n.*>/\\") {
		errs = append(errs, fmt.Errorf("`stream` is %q: write a name without spaces and without . * > / \\, such as ISBL_EVENTS", cfg.Stream))
	}
	if cfg.Replicas < 0 || cfg.Replicas > maxReplicas {
		errs = append(errs, fmt.Errorf("`replicas` must be between 1 and %d, got %d: leave it out for 1", maxReplicas, cfg.Replicas))
	}
	if !subjectPattern.MatchString(cfg.APIPrefix) {
		errs = append(errs, fmt.Errorf("`api_prefix` is %q: write the subject under which the account imports $JS.API, such as JS.events", cfg.APIPrefix))
	}
	if strings.Contains(cfg.Domain, ".") || !subjectPattern.MatchString(cfg.Domain) {
		errs = append(errs, fmt.Errorf("`domain` is %q: write the name of a domain of JetStream, such as hub", cfg.Domain))
	}
	if cfg.APIPrefix != "" && cfg.Domain != "" {
		errs = append(errs, fmt.Errorf("of `api_prefix` and `domain` only one can be used: `domain: %s` is `api_prefix: %s`", cfg.Domain, domainPrefix(cfg.Domain)))
	}
	if cfg.ConnectWait < 0 {
		errs = append(errs, fmt.Errorf("`connect_wait` must not be negative, got %v: leave it out for %v", cfg.ConnectWait, defaultConnectWait))
	}
	return errors.Join(errs...)
}

// subjectPattern is of subjects without wildcards, and of no subject.
var subjectPattern = regexp.MustCompile(`^([^\s.*>]+(\.[^\s.*>]+)*)?$`)

func domainPrefix(domain string) string { return "$JS." + domain + ".API" }

func (cfg *NATSConfig) options(ctx context.Context) (*remote.Options, error) {
	opts := &remote.Options{
		CredentialsFile: cfg.CredentialsFile,
		Username:        cfg.Username,
		Password:        string(cfg.Password),
		Token:           string(cfg.Token),
		Stream:          cfg.Stream,
		Replicas:        cfg.Replicas,
		ConnectWait:     cfg.ConnectWait,
		APIPrefix:       cfg.APIPrefix,
	}
	if cfg.Domain != "" {
		opts.APIPrefix = domainPrefix(cfg.Domain)
	}
	for _, u := range cfg.URLs {
		opts.Servers = append(opts.Servers, string(u))
	}
	if tls := cfg.TLS.Get(); tls != nil {
		var err error
		if opts.TLS, err = tls.LoadTLSConfig(ctx); err != nil {
			return nil, fmt.Errorf("`storage::nats::tls`: %w", err)
		}
	}
	return opts, nil
}
