package httpguard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
)

// originList are the origins that CORS allows, in lower case. It matches as
// github.com/rs/cors does, which confighttp uses: case does not count, each entry may have
// one *, and * alone matches every origin.
type originList []string

func corsOrigins(server *confighttp.ServerConfig) originList {
	if cors := server.CORS.Get(); cors != nil {
		return newOriginList(cors.AllowedOrigins)
	}
	return nil
}

func newOriginList(origins []string) (list originList) {
	for _, origin := range origins {
		list = append(list, strings.ToLower(origin))
	}
	return list
}

// AllowSender reports whether one of senders, as in Options, is the name of a sender of webhooks.
func AllowSender(senders []string, name string) bool {
	return isSender(name) && newOriginList(senders).allow(name)
}

// isSender reports whether an origin is the name of a sender of webhooks. The origin of a page has
// a scheme, or is null.
func isSender(origin string) bool {
	return !strings.Contains(origin, "://") && !strings.EqualFold(origin, "null")
}

// allow reports whether CORS allows an origin. A request without one is never allowed.
func (list originList) allow(origin string) bool {
	origin = strings.ToLower(origin)
	return origin != "" && slices.ContainsFunc(list, func(pattern string) bool {
		prefix, suffix, wild := strings.Cut(pattern, "*")
		if !wild {
			return origin == pattern
		}
		return len(origin) >= len(prefix)+len(suffix) && strings.HasPrefix(origin, prefix) && strings.HasSuffix(origin, suffix)
	})
}

// checkOrigin returns nil unless a page of another site sent the request.
func (g *guard) checkOrigin(r *http.Request) *Refusal {
	if r.Method == http.MethodOptions || !g.isForeign(r) || isRead(r.Method) && isNavigation(r) { // CORS answers OPTIONS
		return nil
	}
	origin := r.Header.Get("Origin")
	if g.origins.allow(origin) || isSender(origin) && g.senders.allow(origin) {
		return nil
	}
	sender := "a page of another site"
	if origin != "" {
		sender = fmt.Sprintf("a page of another site, %.100q,", origin)
	}
	return &Refusal{http.StatusForbidden, ReasonCrossSite, sender + " sent this request: " +
		"to allow its scripts, add its origin to `cors::allowed_origins` in the configuration of this port; " +
		"images, frames and forms of other sites are always refused"}
}

// isForeign reports whether a page of another site sent the request. Browsers send
// Sec-Fetch-Site only over HTTPS and to loopback; elsewhere an Origin that is not the Host
// gives them away, which a read only has when a script sent it.
func (g *guard) isForeign(r *http.Request) bool {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	if origin == "" && site == "" {
		return false // most likely no browser
	}
	// Check passes every read, so it is asked about a write.
	write := &http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}
	if g.csrf.Check(write) != nil {
		return true
	}
	// The Origin null has no host, and so has a request with an empty Host.
	return r.Host == "" && site == ""
}

// isNavigation reports whether the user opens the URL in a tab. The page that links there
// does not see the answer. It could have its browser load the answer ahead (prefetch), as
// often as it likes, so that does not count.
func isNavigation(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" &&
		r.Header.Get("Sec-Purpose") == ""
}
