// Package serverconfig reads the configuration of HTTP servers with each version of the Collector
// that we support.
package serverconfig

import (
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal sets the keys of server that conf has, as confighttp does, and leaves all other keys of
// conf to the caller. Up to v0.164 of the Collector, confighttp.ServerConfig has an Unmarshal of
// its own, for its deprecated keys.
func Unmarshal(conf *confmap.Conf, server *confighttp.ServerConfig) error {
	if own, ok := any(server).(confmap.Unmarshaler); ok {
		return own.Unmarshal(conf)
	}
	return conf.Unmarshal(server, confmap.WithIgnoreUnused())
}
