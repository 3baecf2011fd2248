package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writePEM writes a file of a folder.
func writePEM(t *testing.T, folder, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// A profile leads to a server that wants a certificate and a token.
func TestProfiles(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("EVENTCTL_CONFIG", filepath.Join(folder, "eventctl", "config.yaml"))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	own, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			answer(w, http.StatusUnauthorized, `{"title": "Unauthorized"}`)
			return
		}
		answer(w, http.StatusOK, `{"events": [{"event_id": "1", "event_type": "user.login", "timestamp": "2026-01-02T03:04:05Z"}], "next": "x", "more": false}`)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	ca := writePEM(t, folder, "ca.pem", "CERTIFICATE", server.Certificate().Raw)
	certFile, keyFile := writePEM(t, folder, "cert.pem", "CERTIFICATE", own), writePEM(t, folder, "key.pem", "PRIVATE KEY", keyDER)
	token := filepath.Join(folder, "token")
	require.NoError(t, os.WriteFile(token, []byte("secret\n"), 0o600))

	command := func(args ...string) result { return run(t, "", "", "", args...) }
	assert.Empty(t, command("profile", "list").out)
	assert.Equal(t, 2, command("--profile", "prod", "get").code)
	r := command("profile", "set", "prod", "--endpoint", server.URL, "--ca", ca, "--cert", certFile, "--key", keyFile, "--token-file", token)
	require.Zero(t, r.code, r.err)
	r = command("get")
	assert.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "user.login", "the first profile is in use")
	r = command("get", "--token", "other")
	assert.Contains(t, r.err, "Unauthorized", "a flag wins")
	t.Setenv("EVENTCTL_TOKEN", "other")
	assert.Contains(t, command("get").err, "Unauthorized", "and so does a variable")
	t.Setenv("EVENTCTL_TOKEN", "")

	require.Zero(t, command("profile", "set", "test", "--endpoint", "127.0.0.1:1").code)
	assert.Equal(t, 3, command("--profile", "test", "get").code)
	require.Zero(t, command("profile", "use", "test").code)
	assert.Equal(t, 3, command("get").code)
	assert.Contains(t, command("profile", "list").out, "* test --endpoint=127.0.0.1:1\n")
	r = command("--profile", "tset", "get")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, `there is no profile "tset": there are prod, test`)
	require.Zero(t, command("profile", "delete", "test").code)
	assert.Equal(t, 2, command("profile", "use", "test").code)

	r = command("profile", "set", "prod", "--token", "secret")
	assert.Contains(t, r.err, "a profile holds no token")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, 2, command("profile", "set", "prod").code)
	text, err := os.ReadFile(os.Getenv("EVENTCTL_CONFIG"))
	require.NoError(t, err)
	assert.NotContains(t, string(text), "secret")
	require.NoError(t, os.WriteFile(os.Getenv("EVENTCTL_CONFIG"), []byte("profiles: {a: {server: x}}"), 0o600))
	assert.Contains(t, command("get").err, `profile a has "server": write one of ca, cert, endpoint`)
}
