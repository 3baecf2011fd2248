package httpguard

import (
	"net"

	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"
)

// WarnOpen logs a warning if other machines can reach the port, and it asks nobody who they are:
// neither by auth nor by a certificate of the client. It is for every port of ours, gRPC too. tls
// is nil where TLS is off.
func WarnOpen(logger *zap.Logger, listener net.Addr, auth bool, tls *configtls.ServerConfig) {
	tcp, ok := listener.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() || auth || tls != nil && tls.ClientCAFile != "" {
		return
	}
	logger.Warn("everybody who reaches this port can use it: add `auth`, or `tls` with `client_ca_file`, or listen on localhost",
		zap.String("endpoint", listener.String()))
}
