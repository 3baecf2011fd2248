package operator

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
)

// fromText runs a server with the configuration that an operator writes.
func fromText(t *testing.T, text string) *natstest.Server {
	t.Helper()
	opts := &server.Options{}
	require.NoError(t, opts.ProcessConfigString(fmt.Sprintf("listen: \"127.0.0.1:-1\"\n"+text, t.TempDir())))
	return natstest.StartWith(t, opts).Await(t)
}

// The account of the collectors has no JetStream of its own, and imports what it needs of
// another's.
func TestAccountThatImportsJetStream(t *testing.T) {
	t.Parallel()
	ns := fromText(t, `
		jetstream { store_dir: %q }
		accounts {
			STORAGE {
				jetstream: enabled
				exports [
					{service: "isbl.events"}
					{service: "$KV.ISBL_EVENTS_consumers.>"}
					{service: "$JS.API.INFO"}
					{service: "$JS.API.STREAM.>", response_type: stream}
					{service: "$JS.API.CONSUMER.>", response_type: stream}
					{service: "$JS.API.DIRECT.>", response_type: stream}
				]
			}
			COLLECTORS {
				users [{user: isbl, password: secret}]
				imports [
					{service: {account: STORAGE, subject: "isbl.events"}}
					{service: {account: STORAGE, subject: "$KV.ISBL_EVENTS_consumers.>"}, to: "JS.storage.$KV.ISBL_EVENTS_consumers.>"}
					{service: {account: STORAGE, subject: "$JS.API.INFO"}, to: "JS.storage.INFO"}
					{service: {account: STORAGE, subject: "$JS.API.STREAM.>"}, to: "JS.storage.STREAM.>"}
					{service: {account: STORAGE, subject: "$JS.API.CONSUMER.>"}, to: "JS.storage.CONSUMER.>"}
					{service: {account: STORAGE, subject: "$JS.API.DIRECT.>"}, to: "JS.storage.DIRECT.>"}
				]
			}
		}`)
	c := collect(t, natsConfig(m{
		"urls": []string{ns.ClientURL()}, "username": "isbl", "password": "secret", "api_prefix": "JS.storage",
	}))
	c.surface(t)
}

// The server of the collectors is a leaf node; the stream is in the domain of its hub.
func TestDomainBehindALeafNode(t *testing.T) {
	t.Parallel()
	hub := fromText(t, `
		server_name: hub
		jetstream { store_dir: %q, domain: hub }
		leafnodes { listen: "127.0.0.1:-1" }`)
	v, err := hub.Varz(nil)
	require.NoError(t, err)
	leaf := fromText(t, fmt.Sprintf(`
		server_name: leaf
		jetstream { store_dir: %%q, domain: leaf }
		leafnodes { remotes [{url: "nats://127.0.0.1:%d"}] }`, v.LeafNode.Port))
	c := collect(t, natsConfig(m{"urls": []string{leaf.ClientURL()}, "domain": "hub"}))
	c.surface(t)
	_, err = hub.JetStream(t).Stream(t.Context(), "ISBL_EVENTS")
	require.NoError(t, err)
}
