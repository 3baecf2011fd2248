package operator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/natstest"
)

const deployed = "../../deploy/nats"

// deployedCluster runs three servers with the files of deploy/nats. Only ports and directories are
// others than there.
func deployedCluster(t *testing.T) (servers []*natstest.Server, ca string) {
	t.Helper()
	t.Setenv("ISBL_NATS_PASSWORD", "secret")
	t.Setenv("ISBL_NATS_ADMIN_PASSWORD", "supersecret")
	text, err := os.ReadFile(filepath.Join(deployed, "nats.conf"))
	require.NoError(t, err)
	accounts, err := os.ReadFile(filepath.Join(deployed, "accounts.conf"))
	require.NoError(t, err)
	conf := string(text)
	dir := t.TempDir()
	routes := make([]int, 3)
	for i := range routes {
		routes[i] = natstest.FreePort(t)
		conf = replaced(t, conf, fmt.Sprintf("nats-%d:6222", i+1), fmt.Sprint("127.0.0.1:", routes[i]))
	}
	conf = replaced(t, conf, "/etc/nats/certs", dir)
	conf = replaced(t, conf, "0.0.0.0", "127.0.0.1")
	certificates(t, dir)
	for i, route := range routes {
		t.Setenv("NATS_NAME", fmt.Sprint("nats-", i+1))
		t.Setenv("NATS_ZONE", "zone:"+string(rune('a'+i)))
		node := t.TempDir()
		mine := replaced(t, conf, "/var/lib/nats", node)
		mine = replaced(t, mine, "127.0.0.1:4222", "127.0.0.1:-1")
		mine = replaced(t, mine, "127.0.0.1:8222", "127.0.0.1:-1")
		mine = replaced(t, mine, "127.0.0.1:6222", fmt.Sprint("127.0.0.1:", route))
		file := filepath.Join(node, "nats.conf")
		require.NoError(t, os.WriteFile(file, []byte(mine), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(node, "accounts.conf"), accounts, 0o600))
		opts, err := server.ProcessConfigFile(file)
		require.NoError(t, err)
		servers = append(servers, natstest.StartWith(t, opts))
	}
	natstest.AwaitLeader(t, servers)
	return servers, filepath.Join(dir, "ca.crt")
}

func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.ReplaceAll(text, old, by)
}

// certificates writes ca.crt, and tls.crt with tls.key for all servers.
func certificates(t *testing.T, dir string) {
	t.Helper()
	issue := func(name string, serial int64, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		}
		if parent == nil {
			parent, signer = c, key
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
		} else {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
			c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"}
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		require.NoError(t, err)
		private, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		write := func(ending, kind string, b []byte) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+ending), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600))
		}
		write(".crt", "CERTIFICATE", der)
		write(".key", "PRIVATE KEY", private)
		return c, key
	}
	authority, key := issue("ca", 1, nil, nil)
	issue("tls", 2, authority, key)
}

// The permissions of deploy/nats are enough for all that a collector does, and no more than that.
func TestPermissions(t *testing.T) {
	servers, ca := deployedCluster(t)
	var urls []string
	for _, ns := range servers {
		urls = append(urls, "nats://"+ns.Addr().String())
	}
	section := m{"urls": urls, "username": "isbl", "password": "secret", "replicas": 3, "tls": m{"ca_file": ca}}
	conf := m{"storage": m{"nats": section}, "retention": m{"max_bytes": "1GiB", "max_events": 1000}, "deduplicate": m{}}
	denied := denials(servers)
	c := collect(t, conf)
	c.surface(t)
	c.stores(t, "more", 0, 1000) // so that some have to go
	require.Eventually(t, func() bool {
		stats, err := c.api.Stats(t.Context())
		return err == nil && stats.Store.Evicted > 0
	}, patience, 10*time.Millisecond)

	js := admin(t, servers, ca)
	stream, err := js.Stream(t.Context(), "ISBL_EVENTS")
	require.NoError(t, err)
	for name := range stream.ConsumerNames(t.Context()).Name() { // c has to follow the stream anew
		require.NoError(t, stream.DeleteConsumer(t.Context(), name))
	}
	other := collect(t, conf)
	other.stores(t, "elsewhere", 0, 1)
	require.Eventually(t, func() bool {
		page, err := c.api.Events(t.Context(), client.Query{Filter: client.Filter{EventIDs: []string{"elsewhere-0"}}})
		return err == nil && len(page.Events) == 1
	}, patience, 10*time.Millisecond)

	conf["retention"] = m{"max_bytes": "2GiB"}
	changes, err := configured(t, conf).Apply(t.Context(), false)
	require.NoError(t, err)
	assert.Equal(t, []string{"stream ISBL_EVENTS: max_bytes is 1GiB, will be 2GiB"}, changes)
	assert.Empty(t, denied())

	nc, err := nats.Connect(urls[0], nats.UserInfo("isbl", "secret"), nats.RootCAs(ca),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	require.NoError(t, err)
	defer nc.Close()
	for _, subject := range []string{
		"$JS.API.STREAM.DELETE.ISBL_EVENTS", "$JS.API.STREAM.MSG.DELETE.ISBL_EVENTS", "$JS.API.STREAM.CREATE.OTHER",
		"$JS.API.STREAM.SNAPSHOT.ISBL_EVENTS", "$JS.API.STREAM.LIST", "other",
	} {
		before := len(denied())
		require.NoError(t, nc.Publish(subject, nil))
		require.NoError(t, nc.Flush())
		assert.Len(t, denied(), before+1, subject)
	}
	assert.Len(t, stream.CachedInfo().Cluster.Replicas, 2)
}

// admin is a connection with all rights in the account of the collectors.
func admin(t *testing.T, servers []*natstest.Server, ca string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(servers[0].ClientURL(), nats.UserInfo("admin", "supersecret"), nats.RootCAs(ca))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

// denials collects what servers log of subjects that a client may not use.
func denials(servers []*natstest.Server) (all func() []string) {
	l := &violations{}
	for _, ns := range servers {
		ns.SetLogger(l, false, false)
	}
	return func() []string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.lines
	}
}

// violations is the log of a server.
type violations struct {
	mu    sync.Mutex
	lines []string
}

func (*violations) Noticef(string, ...any) {}
func (*violations) Warnf(string, ...any)   {}
func (*violations) Fatalf(string, ...any)  {}
func (*violations) Debugf(string, ...any)  {}
func (*violations) Tracef(string, ...any)  {}

func (v *violations) Errorf(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); strings.Contains(line, "Violation") {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.lines = append(v.lines, line)
	}
}
