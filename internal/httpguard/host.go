package httpguard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
)

// hostRules decide which Host headers a loopback listener serves. A page whose name resolves
// to a loopback address (DNS rebinding) counts as same-origin in its browser; only its Host
// tells it apart.
type hostRules struct {
	names    map[string]bool
	suffixes []string // each begins with a dot
}

// rulesFor returns nil where every host is served: beyond loopback, on a Unix socket, with
// TLS (the certificate names the host), with authentication, and where all hosts are allowed.
func rulesFor(listener net.Addr, server *confighttp.ServerConfig, allowed []string) *hostRules {
	tcp, ok := listener.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() || server.TLS.HasValue() || server.Auth.HasValue() {
		return nil
	}
	rules := &hostRules{names: map[string]bool{"localhost": true}, suffixes: []string{".localhost"}}
	if host := hostname(server.NetAddr.Endpoint); host != "" {
		rules.names[host] = true
	}
	for _, host := range allowed {
		suffix, below := strings.CutPrefix(host, "*")
		switch {
		case host == "*":
			return nil
		case below:
			rules.suffixes = append(rules.suffixes, fold(suffix))
		default:
			rules.names[fold(host)] = true
		}
	}
	return rules
}

// checkHost returns nil when the port serves the request's host. Browsers always send one, so
// a request without it is no attack.
func (g *guard) checkHost(r *http.Request) *Refusal {
	if g.hosts == nil || r.Host == "" || g.hosts.serve(hostname(r.Host)) {
		return nil
	}
	return &Refusal{http.StatusMisdirectedRequest, ReasonHost, fmt.Sprintf(
		"this port listens on a loopback address and does not serve the Host %.100q: use localhost, or add the name to `allowed_hosts` in the configuration of this port",
		r.Host)}
}

func (rules *hostRules) serve(host string) bool {
	if rules.names[host] {
		return true
	}
	for _, suffix := range rules.suffixes {
		if len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
			return true
		}
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && !addr.Is4In6() && addr.Zone() == ""
}

// hostname returns the host of host:port in its folded form. What is neither a host nor
// host:port comes back as it is, and equals no name.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return fold(host)
	}
	if inner, ok := strings.CutPrefix(hostport, "["); ok && strings.HasSuffix(inner, "]") {
		hostport = strings.TrimSuffix(inner, "]")
	}
	return fold(hostport)
}

// fold makes hosts comparable: names in lower case without the dot of the root, IPv6
// addresses in their shortest form.
func fold(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String()
	}
	return host
}
