package condition

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReads(t *testing.T) {
	for text, want := range map[string][]string{
		`attributes["a"] == 1`:                                                      {"a"},
		`log.attributes["a\"b"] > -1.5 and not (flags > 0)`:                         {`a"b`},
		`IsMatch(attributes["a"]["b"], "x") or ToLowerCase(attributes["c"]) == "d"`: {"a", "c"},
		`severity_number >= SEVERITY_NUMBER_WARN and trace_id.string != nil`:        nil,
	} {
		c, err := Parse(text)
		require.NoError(t, err, text)
		got, only := c.Reads()
		assert.True(t, only, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		`body == "x"`, `log.body["a"] == 1`, `resource.attributes["a"] == 1`, `instrumentation_scope.name == "x"`, `Len(attributes) > 1`,
		`attributes == attributes`, `attributes["a"] == attributes["b"]`, `attributes[attributes["a"]] == 1`, `attributes["a"] == {"b": 1}`,
	} {
		c, err := Parse(text)
		require.NoError(t, err, text)
		_, only := c.Reads()
		assert.False(t, only, text)
	}
}
