package consumer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/store"
)

// nothing is a Sink for batches that must not come.
type nothing struct{}

func (nothing) Reset()                {}
func (nothing) Add(*store.Entry) bool { return true }

// What an earlier version took as a definition and is refused now can be seen and deleted, and says
// what is wrong with it.
func TestADefinitionThatIsNotValidAnyMore(t *testing.T) {
	s := openStore(t, store.Options{})
	c := New(s)
	t.Cleanup(c.Close)
	for name, spec := range map[string]filter.Spec{
		"where": {Where: `ParseJSON(body) != nil`},
		"data.": {Data: map[string]filter.Texts{"": {"v"}}},
	} {
		d := DefaultDefinition()
		d.Spec = spec
		raw, err := json.Marshal(&state{Definition: d, Created: time.Now(), Used: time.Now(), Next: s.Start()})
		require.NoError(t, err)
		_, err = s.Records().Put(t.Context(), "old", raw, 0)
		require.NoError(t, err)

		info, err := c.Get(t.Context(), "old")
		require.NoError(t, err)
		assert.Equal(t, spec, info.Definition.Spec)
		assert.Contains(t, info.Invalid, name)
		_, err = c.Fetch(t.Context(), "old", Fetch{Limit: 1, To: nothing{}})
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid)
		require.ErrorContains(t, err, "delete the consumer")
		require.NoError(t, c.Delete(t.Context(), "old"))
	}
}
