package eventstoreexporter

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The store connects over TLS to a server with authentication. With wrong credentials it does not
// start.
func TestSecuredNATS(t *testing.T) {
	dir := t.TempDir()
	pair, ca := certificate(t, dir)
	credentials, operator := account(t, dir)
	for name, tt := range map[string]struct {
		server     func(*server.Options)
		good, evil m
	}{
		"password": {
			func(o *server.Options) { o.Username, o.Password = "collector", "secret" },
			m{"username": "collector", "password": "secret"},
			m{"username": "collector", "password": "guess"},
		},
		"token": {
			func(o *server.Options) { o.Authorization = "secret" },
			m{"token": "secret"},
			m{"token": "guess"},
		},
		"credentials": {operator, m{"credentials_file": credentials}, m{}},
	} {
		t.Run(name, func(t *testing.T) {
			opts := &server.Options{
				Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
				TLS: true, TLSTimeout: 5, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
			}
			tt.server(opts)
			ns, err := server.NewServer(opts)
			require.NoError(t, err)
			ns.Start()
			t.Cleanup(func() { stopNATS(ns) })
			require.True(t, ns.ReadyForConnections(10*time.Second))

			with := func(who m) m {
				nats := m{"urls": []string{"nats://" + ns.Addr().String()}, "tls": m{"ca_file": ca}}
				for k, v := range who {
					nats[k] = v
				}
				return m{"storage": m{"nats": nats}}
			}
			r := start(t, with(tt.good))
			r.consume(t, numbered(0, 10))
			assert.Equal(t, numbers(0, 10), r.ids(t))

			for _, wrong := range []m{with(tt.evil), with(m{})} {
				r := create(t, nopSettings(), wrong)
				require.ErrorContains(t, r.Start(t.Context(), r.host), "Authorization Violation")
				require.NoError(t, r.Shutdown(t.Context()))
			}
			untrusted := with(tt.good)
			delete(untrusted["storage"].(m)["nats"].(m), "tls")
			r = create(t, nopSettings(), untrusted)
			require.ErrorContains(t, r.Start(t.Context(), r.host), "certificate signed by unknown authority")
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

// certificate returns one for 127.0.0.1, and a file with what to trust.
func certificate(t *testing.T, dir string) (pair tls.Certificate, ca string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	ca = filepath.Join(dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, block, 0o600))
	return s.TLS.Certificates[0], ca
}

// account makes an operator with one account, which has JetStream, and one user. It returns the
// user's credentials file, and what makes a server believe the operator.
func account(t *testing.T, dir string) (credentials string, trust func(*server.Options)) {
	t.Helper()
	pairOf := func(create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		pair, err := create()
		require.NoError(t, err)
		public, err := pair.PublicKey()
		require.NoError(t, err)
		return pair, public
	}
	operator, operatorKey := pairOf(nkeys.CreateOperator)
	_, systemKey := pairOf(nkeys.CreateAccount)
	account, accountKey := pairOf(nkeys.CreateAccount)
	user, userKey := pairOf(nkeys.CreateUser)

	resolver := &server.MemAccResolver{}
	for key, claims := range map[string]*jwt.AccountClaims{systemKey: jwt.NewAccountClaims(systemKey), accountKey: jwt.NewAccountClaims(accountKey)} {
		if key == accountKey {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		token, err := claims.Encode(operator)
		require.NoError(t, err)
		require.NoError(t, resolver.Store(key, token))
	}
	token, err := jwt.NewUserClaims(userKey).Encode(account)
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	file, err := jwt.FormatUserConfig(token, seed)
	require.NoError(t, err)
	credentials = filepath.Join(dir, "collector.creds")
	require.NoError(t, os.WriteFile(credentials, file, 0o600))

	claims := jwt.NewOperatorClaims(operatorKey)
	claims.SystemAccount = systemKey
	operatorToken, err := claims.Encode(operator)
	require.NoError(t, err)
	trusted, err := jwt.DecodeOperatorClaims(operatorToken)
	require.NoError(t, err)
	return credentials, func(o *server.Options) {
		o.TrustedOperators, o.SystemAccount, o.AccountResolver = []*jwt.OperatorClaims{trusted}, systemKey, resolver
	}
}
