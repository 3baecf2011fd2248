package client

import (
	"crypto/tls"
	"errors"
	"strings"
)

// isCertificate says whether err is about trust, or about a server that speaks no TLS: trying again
// is no use then.
func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &verification) || errors.As(err, &record) ||
		err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}
