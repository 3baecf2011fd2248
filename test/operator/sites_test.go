package operator

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// A second site has mirrors of the stream and of the bucket. When the first one is lost, they
// become the stream and the bucket: cursors stay valid, and consumers go on.
func TestSecondSite(t *testing.T) {
	t.Parallel()
	first := fromText(t, `
		server_name: first
		jetstream { store_dir: %q, domain: first }
		leafnodes { listen: "127.0.0.1:-1" }`)
	ports, err := first.Varz(nil)
	require.NoError(t, err)
	second := fromText(t, fmt.Sprintf(`
		server_name: second
		jetstream { store_dir: %%q, domain: second }
		leafnodes { remotes [{url: "nats://127.0.0.1:%d"}] }`, ports.LeafNode.Port))
	conf := m{"storage": m{"nats": m{"urls": []string{first.ClientURL()}}}, "retention": m{"max_bytes": "64MiB"}}
	c := collect(t, conf)
	after := halfway(t, c, first.JetStream(t))
	c.stop()

	here, there := first.JetStream(t), second.JetStream(t)
	streams := map[string]jetstream.StreamConfig{}
	for _, name := range []string{"ISBL_EVENTS", "KV_ISBL_EVENTS_consumers"} {
		origin, err := here.Stream(t.Context(), name)
		require.NoError(t, err)
		info := origin.CachedInfo()
		streams[name] = info.Config
		mirror := info.Config
		mirror.Subjects = nil
		mirror.Mirror = &jetstream.StreamSource{Name: name, External: &jetstream.ExternalStream{APIPrefix: "$JS.first.API"}}
		_, err = there.CreateStream(t.Context(), mirror)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			copied, err := there.Stream(t.Context(), name)
			return err == nil && copied.CachedInfo().State.LastSeq == info.State.LastSeq
		}, patience, 10*time.Millisecond)
	}

	// No collector takes a mirror for its stream.
	conf["storage"] = m{"nats": m{"urls": []string{second.ClientURL()}}}
	early := newCollector(t, conf)
	require.ErrorContains(t, early.Start(t.Context(), early), "does not fit: subjects is []")

	first.Stop()
	for _, config := range streams {
		_, err := there.UpdateStream(t.Context(), config)
		require.NoError(t, err)
	}
	goesOn(t, collect(t, conf), after)
}
