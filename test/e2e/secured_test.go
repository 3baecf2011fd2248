package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The configuration of docs/deployment.md, with ports that all machines can reach, TLS, and tokens
// of their own for writers and readers. A port that was left without is told of.
func TestSecuredAsTheDocumentationSays(t *testing.T) {
	page, err := os.ReadFile("../../docs/deployment.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(extensions:\n  bearertokenauth.*?)```").FindSubmatch(page)
	require.NotNil(t, block)
	dir := t.TempDir()
	config := strings.NewReplacer("/etc/isbl", dir, "/var/lib/isbl", dir+"/data", "0.0.0.0:4318", "0.0.0.0:0", "0.0.0.0:4380", "0.0.0.0:0",
		"      http:", "      grpc: {endpoint: \"0.0.0.0:0\"}\n      http:").Replace(string(block[1])) + `
service:
  extensions: [bearertokenauth/writers, bearertokenauth/readers]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [event], exporters: [event_store]}
`
	selfSigned(t, dir)
	require.NoError(t, os.WriteFile(dir+"/writers.token", []byte("secret-of-writers"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/readers.token", []byte("secret-of-readers"), 0o600))
	c := start(t, config)

	_, otlpPort, err := net.SplitHostPort(strings.TrimPrefix(c.otlp, "http://"))
	require.NoError(t, err)
	_, apiPort, err := net.SplitHostPort(strings.TrimPrefix(c.api, "https://"))
	require.NoError(t, err)
	eventctl := func(token string, args ...string) (string, error) {
		args = append(args, "--ca", dir+"/tls.crt", "--token", token,
			"--endpoint", "https://localhost:"+apiPort, "--otlp-endpoint", "https://localhost:"+otlpPort)
		out, err := exec.CommandContext(t.Context(), "../../bin/eventctl", args...).CombinedOutput()
		return string(out), err //nolint:wrapcheck // the test looks at it
	}
	out, err := eventctl("secret-of-writers", "emit", "user.login")
	require.NoError(t, err, out)
	out, err = eventctl("secret-of-readers", "get")
	require.NoError(t, err, out)
	assert.Contains(t, out, "user.login")
	out, err = eventctl("secret-of-writers", "get")
	require.Error(t, err, "writers do not read")
	assert.Contains(t, out, "401")
	out, err = eventctl("secret-of-readers", "emit", "user.login")
	require.Error(t, err, "readers do not write")
	assert.Contains(t, out, "401")

	c.stop(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	warning := []byte("everybody who reaches this port can use it")
	assert.Equal(t, 1, bytes.Count(c.log.Bytes(), warning), "gRPC has neither TLS nor a token")
	assert.NotContains(t, c.log.String(), "secret-of-")
}

// A mistyped key stops the start wherever it is, and the message names it.
func TestTyposInEachSection(t *testing.T) {
	good := configuration(map[string]string{"exporters": "\n  event_store: {endpoint: \"127.0.0.1:0\", retention: {max_age: 1h}}"})
	for old, typo := range map[string]string{
		"receivers:":     "receivrs:",
		"protocols:":     "protocol:",
		"buffer_size:":   "bufer_size:",
		"event_store: {": "event_stor: {",
		"retention:":     "retentoin:",
		"max_age:":       "maxage:",
		"pipelines:":     "pipeline:",
		"telemetry:":     "telemtry:",
	} {
		t.Run(typo, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, good, old)
			out := run(t, strings.Replace(good, old, typo, 1), "validate")
			word, _, _ := strings.Cut(typo, ":")
			assert.Contains(t, out, word)
		})
	}
}

// selfSigned writes tls.crt and tls.key, for localhost.
func selfSigned(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: certificate}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}
