package httpguard

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestWarnOpen(t *testing.T) {
	mutual := &configtls.ServerConfig{ClientCAFile: "ca.crt"}
	for name, tt := range map[string]struct {
		listener net.Addr
		auth     bool
		tls      *configtls.ServerConfig
		warns    bool
	}{
		"all addresses":   {&net.TCPAddr{IP: net.IPv6unspecified}, false, nil, true},
		"one address":     {&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, false, nil, true},
		"TLS alone":       {&net.TCPAddr{IP: net.IPv4zero}, false, &configtls.ServerConfig{}, true},
		"auth":            {&net.TCPAddr{IP: net.IPv4zero}, true, nil, false},
		"certificates":    {&net.TCPAddr{IP: net.IPv4zero}, false, mutual, false},
		"loopback":        {&net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, false, nil, false},
		"IPv6 loopback":   {&net.TCPAddr{IP: net.IPv6loopback}, false, nil, false},
		"socket of files": {&net.UnixAddr{Name: "/run/events"}, false, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.WarnLevel)
			WarnOpen(zap.New(core), tt.listener, tt.auth, tt.tls)
			assert.Equal(t, tt.warns, logs.Len() == 1)
		})
	}
}
