package eventstoreexporter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// A password in the URL of a NATS server is in no error, no log, and not in the configuration as it
// is printed.
func TestPasswordInURL(t *testing.T) {
	const secret = "s3cr3t"
	for _, url := range []string{"nats://me:" + secret + "@127.0.0.1:1", "nats://me:" + secret + "@host:not a port"} {
		cfg := createDefaultConfig().(*Config)
		conf := confmap.NewFromStringMap(m{"storage": m{"nats": m{"urls": []any{url}}}})
		require.NoError(t, conf.Unmarshal(cfg))
		printed := confmap.New()
		require.NoError(t, printed.Marshal(cfg))
		text := fmt.Sprintf("%v %v %#v %v", printed.ToStringMap(), cfg.Storage.NATS.Get().URLs, cfg.Storage.NATS.Get().URLs, confmap.Validate(cfg))
		assert.NotContains(t, text, secret)
		assert.Contains(t, text, "//[REDACTED]@")
		opts, err := cfg.Storage.NATS.Get().options(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{url}, opts.Servers, "the connection has it")
	}
	r := create(t, nopSettings(), m{"storage": m{"nats": m{"connect_wait": "0s", "urls": []any{"nats://me:" + secret + "@127.0.0.1:1"}}}})
	err := r.Start(t.Context(), r.host)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
	for _, entry := range r.logs.All() {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), secret)
	}
	require.NoError(t, r.Shutdown(t.Context()))
}

// A store that is full is not to be given a queue, in which answered events are not stored.
func TestNoAdviceToQueue(t *testing.T) {
	r := start(t, m{"retention": m{"max_events": 1, "when_full": "reject_new"}})
	r.consume(t, numbered(0, 1))
	require.Error(t, r.ConsumeLogs(t.Context(), numbered(1, 3)))
	said := r.logs.FilterMessageSnippet("Exporting failed").All()
	require.NotEmpty(t, said)
	for _, entry := range said {
		assert.Equal(t, "Exporting failed. Rejecting data.", entry.Message)
	}
}
