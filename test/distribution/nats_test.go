package distribution

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The server that our store embeds reads the configuration of the servers in Kubernetes.
func TestNATSOfKubernetes(t *testing.T) {
	t.Setenv("POD_NAME", "nats-0")
	t.Setenv("ISBL_NATS_PASSWORD", "secret")
	t.Setenv("ISBL_NATS_ADMIN_PASSWORD", "another")
	options, err := server.ProcessConfigFile(root + "/deploy/kubernetes/cluster/nats.conf")
	require.NoError(t, err)
	assert.Equal(t, "nats-0", options.ServerName)
	assert.True(t, options.SyncAlways)
	assert.Positive(t, options.JetStreamMaxStore)
	assert.Len(t, options.Routes, 3)
	passwords := map[string]string{}
	for _, user := range options.Users {
		passwords[user.Username] = user.Password
	}
	assert.Equal(t, map[string]string{"isbl": "secret", "admin": "another", "sys": "another"}, passwords)
}
