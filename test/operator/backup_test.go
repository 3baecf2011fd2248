package operator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/natstest"
)

// backup is what `nats stream backup` writes.
type backup struct {
	Config json.RawMessage `json:"config"`
	State  json.RawMessage `json:"state"`
	chunks [][]byte
}

// takeBackup asks for a snapshot of a stream, as `nats stream backup` does.
func takeBackup(t *testing.T, nc *nats.Conn, stream string) *backup {
	t.Helper()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	require.NoError(t, err)
	b := &backup{}
	ask(t, nc, "$JS.API.STREAM.SNAPSHOT."+stream, m{"deliver_subject": inbox, "chunk_size": 64 << 10}, b)
	for {
		msg, err := sub.NextMsg(patience)
		require.NoError(t, err)
		if len(msg.Data) == 0 {
			return b
		}
		b.chunks = append(b.chunks, msg.Data)
		if msg.Reply != "" {
			require.NoError(t, msg.Respond(nil))
		}
	}
}

// restore makes a stream of a backup, as `nats stream restore` does.
func (b *backup) restore(t *testing.T, nc *nats.Conn, stream string) {
	t.Helper()
	var begun struct {
		Subject string `json:"deliver_subject"`
	}
	ask(t, nc, "$JS.API.STREAM.RESTORE."+stream, b, &begun)
	for _, chunk := range append(b.chunks, nil) {
		var msg *nats.Msg
		require.Eventually(t, func() (ok bool) { // not every server of a cluster knows the subject yet
			var err error
			msg, err = nc.Request(begun.Subject, chunk, patience)
			return err == nil
		}, patience, 10*time.Millisecond)
		var answer struct{ Error *jetstream.APIError }
		if len(msg.Data) > 0 {
			require.NoError(t, json.Unmarshal(msg.Data, &answer))
			require.Nil(t, answer.Error)
		}
	}
}

func ask(t *testing.T, nc *nats.Conn, subject string, question, answer any) {
	t.Helper()
	b, err := json.Marshal(question)
	require.NoError(t, err)
	msg, err := nc.Request(subject, b, patience)
	require.NoError(t, err)
	var refused struct{ Error *jetstream.APIError }
	require.NoError(t, json.Unmarshal(msg.Data, &refused))
	require.Nil(t, refused.Error)
	require.NoError(t, json.Unmarshal(msg.Data, answer))
}

// noted waits until the collectors have noted a block by which the stream is known again.
func noted(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	require.Eventually(t, func() bool {
		bucket, err := js.KeyValue(t.Context(), "ISBL_EVENTS_consumers")
		if err != nil {
			return false
		}
		entry, err := bucket.Get(t.Context(), "/generation")
		return err == nil && strings.Contains(string(entry.Value()), "anchor")
	}, patience, 10*time.Millisecond)
}

// Stream and bucket are backed up together, lost, and restored: cursors stay valid, and consumers
// go on. A cursor of an event that is not in the backup names no place any more.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"one server": 1, "cluster": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := []*natstest.Server{natstest.Start(t, nil)}
			if replicas > 1 {
				servers = natstest.Cluster(t, replicas)
			}
			conf := m{"storage": m{"nats": m{"urls": natstest.URLs(servers), "replicas": replicas}}, "retention": m{"max_bytes": "16MiB"}}
			js := servers[0].JetStream(t)
			c := collect(t, conf)
			after := halfway(t, c, js)

			streams := []string{"KV_ISBL_EVENTS_consumers", "ISBL_EVENTS"}
			backups := map[string]*backup{}
			for _, stream := range streams {
				backups[stream] = takeBackup(t, js.Conn(), stream)
			}
			c.stores(t, "late", 0, 10) // not in the backup
			_, late := c.reads(t, "")
			c.stop()
			for _, stream := range streams {
				require.NoError(t, js.DeleteStream(t.Context(), stream))
				backups[stream].restore(t, js.Conn(), stream)
			}

			c = collect(t, conf)
			next := goesOn(t, c, after)
			_, err := c.api.Events(t.Context(), client.Query{After: late})
			assert.True(t, client.IsProblem(err, 410), "%v", err)

			other := collect(t, conf) // the others have the same generation
			rest, _ := other.reads(t, next)
			assert.Equal(t, ids("new", 0, 10), rest)
		})
	}
}
