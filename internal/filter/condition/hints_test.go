package condition

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHints(t *testing.T) {
	for text, hint := range map[string]string{
		`event_type == "a"`:           "write event_name for event_type",
		`event_id == "a"`:             `write attributes["log.record.uid"] for event_id`,
		`source == "shop"`:            "write Source() for source",
		`data.x > 5`:                  `write attributes["x"] for data.x`,
		`data.user.id == "u"`:         `write attributes["user"]["id"] for data.user.id`,
		`data["x"] > 5`:               `write attributes["x"] for data[x]`,
		`metadata.severity == "x"`:    "write the path of the record itself",
		`severity == "ERROR"`:         "severity_number >= SEVERITY_NUMBER_ERROR",
		`timestamp > 5`:               "the parameters since and until",
		`amount > 5`:                  `a key of the data is attributes["amount"]`,
		`attributes.x == 5`:           `as in attributes["x"]`,
		`severity_number >= ERROR`:    "write SEVERITY_NUMBER_ERROR for ERROR",
		`event_name = "a"`:            "write == to compare",
		`event_name == "a" and x = 5`: "write == to compare",
	} {
		_, err := Parse(text)
		require.Error(t, err, text)
		assert.ErrorContains(t, err, hint, text)
	}
	// What the hints say is right.
	for _, text := range []string{
		`event_name == "a"`, `attributes["log.record.uid"] == "a"`, `Source() == "shop"`, `attributes["user"]["id"] == "u"`,
		`time_unix_nano > 5`, `severity_number >= SEVERITY_NUMBER_ERROR`, `severity_text == "x"`, `trace_id.string == "x"`, `body == "x"`,
	} {
		_, err := Parse(text)
		assert.NoError(t, err, text)
	}
}

// Integers that no float64 holds are compared exactly.
func TestIntegersAreExact(t *testing.T) {
	const id = 1541815603606036481
	ref := eventOf(func(v value) { v.SetInt(id) })
	for text, want := range map[string]bool{
		`attributes["v"] == 1541815603606036481`: true, `attributes["v"] == 1541815603606036480`: false,
		`attributes["v"] > 1541815603606036480`: true, `attributes["v"] >= 1541815603606036482`: false,
	} {
		c, err := Parse(text)
		require.NoError(t, err)
		got, err := c.Matches(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}
