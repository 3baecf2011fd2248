package operator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/natstest"
)

// answers waits until storing fails with the words, and the component's status has them too.
func (c *collector) answers(t *testing.T, words string) {
	t.Helper()
	last := ""
	assert.Eventually(t, func() bool {
		err := c.ConsumeLogs(t.Context(), request("refused", 0, 1))
		if err != nil {
			last = err.Error()
		}
		return strings.Contains(last, words)
	}, patience, 10*time.Millisecond)
	require.Contains(t, last, words)
	c.says(t, words)
}

func (c *collector) says(t *testing.T, words string) {
	t.Helper()
	assert.Eventually(t, func() bool { return strings.Contains(c.problem(), words) }, patience, 10*time.Millisecond)
	require.Contains(t, c.problem(), words)
}

// recovers waits until events are stored and read again, and the component's status is good.
func (c *collector) recovers(t *testing.T) {
	t.Helper()
	c.stores(t, "again", 0, 10)
	require.Eventually(t, func() bool {
		page, err := c.api.Events(t.Context(), client.Query{Filter: client.Filter{Sources: []string{"again"}}, Limit: 100})
		return err == nil && len(page.Events) >= 10
	}, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool { return c.problem() == "" }, patience, 10*time.Millisecond)
}

// Another stream takes what the account may have.
func TestAccountLimit(t *testing.T) {
	t.Parallel()
	ns := fromText(t, `
		jetstream { store_dir: %q }
		accounts { EVENTS {
			jetstream { max_file: 8MiB }
			users [{user: isbl, password: secret}]
		} }
		no_auth_user: isbl`)
	js := ns.JetStream(t)
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ISBL_EVENTS", Subjects: []string{"isbl.events"}, AllowDirect: true, Duplicates: time.Minute})
	require.NoError(t, err)
	c := collect(t, m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}, "timeout": "500ms"})
	c.stores(t, "before", 0, 10)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}})
	require.NoError(t, err)
	for size := 512 << 10; size > 10; size /= 4 {
		for err == nil {
			_, err = js.Publish(t.Context(), "other", make([]byte, size))
		}
		err = nil
	}
	c.answers(t, "a limit of the NATS account or server is reached")
	require.NoError(t, js.DeleteStream(t.Context(), "OTHER"))
	c.recovers(t)
}

// The account has no room for the stream that is to be made.
func TestAccountLimitAtStart(t *testing.T) {
	t.Parallel()
	ns := fromText(t, `
		jetstream { store_dir: %q }
		accounts { EVENTS {
			jetstream { max_file: 8MiB }
			users [{user: isbl, password: secret}]
		} }
		no_auth_user: isbl`)
	c := newCollector(t, natsConfig(m{"urls": []string{ns.ClientURL()}}))
	require.ErrorContains(t, c.Start(t.Context(), c), "a limit of the NATS account or server is reached")
}

func TestDirectGetsSwitchedOff(t *testing.T) {
	t.Parallel()
	ns := natstest.Start(t, nil)
	c := collect(t, m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}, "timeout": "500ms"})
	c.stores(t, "before", 0, 10)
	js := ns.JetStream(t)
	stream, err := js.Stream(t.Context(), "ISBL_EVENTS")
	require.NoError(t, err)
	conf := stream.CachedInfo().Config
	conf.AllowDirect = false
	_, err = js.UpdateStream(t.Context(), conf)
	require.NoError(t, err)

	words := "allow_direct of the event stream was switched off"
	c.says(t, words)
	require.Eventually(t, func() bool { // what is in memory can be read all the same
		_, err := c.api.Events(t.Context(), client.Query{Filter: client.Filter{EventIDs: []string{"unknown"}}})
		return err == nil || client.IsProblem(err, 503) && strings.Contains(err.Error(), words)
	}, patience, 10*time.Millisecond)
	conf.AllowDirect = true
	_, err = js.UpdateStream(t.Context(), conf)
	require.NoError(t, err)
	c.recovers(t)
}

// Two of three servers are away, and come back.
func TestNoQuorum(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for elections")
	}
	servers := natstest.Cluster(t, 3)
	c := collect(t, m{
		"storage": m{"nats": m{"urls": natstest.URLs(servers), "replicas": 3}}, "timeout": "1s", "retention": m{"max_bytes": "16MiB"},
	})
	c.stores(t, "before", 0, 10)
	servers[0].Stop()
	servers[1].Stop()
	c.answers(t, "too few of its servers can reach each other")
	servers[0].Run(t)
	servers[1].Run(t)
	c.recovers(t)
}

// Credentials end, and the file gets new ones.
func TestCredentialsRenewed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	file := filepath.Join(t.TempDir(), "events.creds")
	a.issue(t, file, 2*time.Second)
	ns := natstest.Start(t, a.trust)
	c := collect(t, m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}, "credentials_file": file}}, "timeout": "500ms"})
	c.stores(t, "before", 0, 10)
	c.answers(t, "NATS does not let the collector in")
	a.issue(t, file, time.Hour)
	c.recovers(t)
}

// account issues credentials as `nsc` does.
type account struct {
	key   nkeys.KeyPair
	trust func(*server.Options)
}

func newAccount(t *testing.T) *account {
	t.Helper()
	operator, operatorKey := keyPair(t, nkeys.CreateOperator)
	_, systemKey := keyPair(t, nkeys.CreateAccount)
	key, public := keyPair(t, nkeys.CreateAccount)
	resolver := &server.MemAccResolver{}
	for _, name := range []string{systemKey, public} {
		claims := jwt.NewAccountClaims(name)
		if name == public {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		token, err := claims.Encode(operator)
		require.NoError(t, err)
		require.NoError(t, resolver.Store(name, token))
	}
	claims := jwt.NewOperatorClaims(operatorKey)
	claims.SystemAccount = systemKey
	token, err := claims.Encode(operator)
	require.NoError(t, err)
	trusted, err := jwt.DecodeOperatorClaims(token)
	require.NoError(t, err)
	return &account{key, func(o *server.Options) {
		o.TrustedOperators, o.SystemAccount, o.AccountResolver = []*jwt.OperatorClaims{trusted}, systemKey, resolver
	}}
}

func keyPair(t *testing.T, create func() (nkeys.KeyPair, error)) (pair nkeys.KeyPair, public string) {
	t.Helper()
	pair, err := create()
	require.NoError(t, err)
	public, err = pair.PublicKey()
	require.NoError(t, err)
	return pair, public
}

// issue writes the credentials of a new user, for a time.
func (a *account) issue(t *testing.T, file string, valid time.Duration) {
	t.Helper()
	user, public := keyPair(t, nkeys.CreateUser)
	claims := jwt.NewUserClaims(public)
	claims.Expires = time.Now().Add(valid).Unix()
	token, err := claims.Encode(a.key)
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	text, err := jwt.FormatUserConfig(token, seed)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
}
