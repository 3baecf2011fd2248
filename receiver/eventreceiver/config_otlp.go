package eventreceiver

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/serverconfig"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
)

const (
	defaultGRPCEndpoint = "localhost:4317"
	defaultHTTPEndpoint = "localhost:4318"
	defaultLogsPath     = "/v1/logs"

	// defaultOTLPBody is the largest OTLP request in bytes, decompressed.
	defaultOTLPBody = 20 << 20

	// defaultStreams is how many requests one gRPC connection may have under way. gRPC clients wait
	// where they have more.
	defaultStreams = 256
)

// GRPCConfig is the configuration of OTLP over gRPC.
type GRPCConfig struct {
	// ServerConfig is the gRPC server. Its max_recv_msg_size_mib is 20 by default, decompressed,
	// and its max_concurrent_streams 256.
	ServerConfig grpcKeys `mapstructure:",squash"`

	// SlowBody bounds how slowly a message may arrive.
	SlowBody httpguard.SlowBodyConfig `mapstructure:"slow_body"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// grpcKeys are the keys of a gRPC server.
type grpcKeys configgrpc.ServerConfig

// Validate reports every key whose value cannot work.
func (cfg *GRPCConfig) Validate() error {
	server := configgrpc.ServerConfig(cfg.ServerConfig)
	return server.Validate()
}

// HTTPConfig is the configuration of OTLP over HTTP.
type HTTPConfig struct {
	// ServerConfig is the HTTP server. Its max_request_body_size is 20 MiB by default,
	// decompressed.
	ServerConfig serverKeys `mapstructure:",squash"`

	// Guard protects the HTTP server from web pages of other sites and from slow clients.
	Guard httpguard.Config `mapstructure:",squash"`

	// LogsURLPath is where log records are sent to. The default is /v1/logs.
	LogsURLPath urlPath `mapstructure:"logs_url_path"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func defaultGRPC() GRPCConfig {
	server := configgrpc.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultGRPCEndpoint
	server.ReadBufferSize = 512 << 10 // as the otlp receiver
	server.MaxRecvMsgSizeMiB = defaultOTLPBody >> 20
	server.MaxConcurrentStreams = defaultStreams
	return GRPCConfig{ServerConfig: grpcKeys(server), SlowBody: httpguard.NewDefaultConfig().SlowBody}
}

func defaultHTTP() HTTPConfig {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultHTTPEndpoint
	server.MaxRequestBodySize = defaultOTLPBody
	server.CORS = httpguard.DefaultCORS("Retry-After")
	server.TLS = configoptional.None[configtls.ServerConfig]()
	// As the otlp receiver: answers may take as long as the pipeline takes, and idle connections
	// stay.
	server.WriteTimeout = 0
	server.Keepalive = configoptional.Some(confighttp.KeepaliveServerConfig{})
	return HTTPConfig{ServerConfig: serverKeys(server), Guard: httpguard.NewDefaultConfig(), LogsURLPath: defaultLogsPath}
}

// serverKeys are the keys of an HTTP server. confmap takes every key, known or not, of a
// configuration that squashes a type with an Unmarshal, as confighttp.ServerConfig; this type has
// none.
type serverKeys confighttp.ServerConfig

// unmarshalServer reads a configuration that squashes server: the keys of confighttp as confighttp
// does. It refuses unknown keys.
func unmarshalServer(conf *confmap.Conf, cfg any, server *serverKeys) error {
	read := confighttp.ServerConfig(*server)
	if err := serverconfig.Unmarshal(conf, &read); err != nil {
		return err
	}
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	*server = serverKeys(read)
	return nil
}

// Unmarshal reads the keys of confighttp as confighttp does, and refuses unknown ones.
func (cfg *HTTPConfig) Unmarshal(conf *confmap.Conf) error {
	for _, key := range []string{"traces_url_path", "metrics_url_path"} {
		if conf.IsSet(key) {
			return fmt.Errorf("`%s` has no meaning here, since this receiver takes logs only: leave it out", key)
		}
	}
	return unmarshalServer(conf, cfg, &cfg.ServerConfig)
}

// Validate reports every key whose value cannot work.
func (cfg *HTTPConfig) Validate() error { return cfg.ServerConfig.check(defaultOTLPBody) }

// check reports every key whose value cannot work.
func (server *serverKeys) check(usualBody int) error {
	var errs []error
	if server.MaxRequestBodySize <= 0 {
		errs = append(errs, fmt.Errorf("`max_request_body_size` must be positive, got %d: leave it out for %d bytes",
			server.MaxRequestBodySize, usualBody))
	}
	for _, name := range server.CompressionAlgorithms {
		if name != "" && !slices.Contains(body.Codings(), name) {
			errs = append(errs, fmt.Errorf("`compression_algorithms` names %q: write some of %s, or leave it out for all",
				name, strings.Join(body.Codings(), ", ")))
		}
	}
	return errors.Join(errs...)
}

// urlPath is the path of a URL. Without a slash before it, it gets one.
type urlPath string

// UnmarshalText reads a path.
func (p *urlPath) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil {
		return fmt.Errorf("write a path such as %s: %w", defaultLogsPath, err)
	}
	*p = urlPath(path.Clean("/" + u.Path))
	return nil
}
