package distribution

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/operations.md says of the index what `make bench-peers` measured.
func TestSizeOfIndexIsAsMeasured(t *testing.T) {
	raw, err := os.ReadFile(root + "/bench/results/open.json")
	require.NoError(t, err)
	var results struct {
		Figures []struct {
			Row, Column string
			Samples     []float64
		}
	}
	require.NoError(t, json.Unmarshal(raw, &results))
	perEvent := map[string]float64{}
	for _, figure := range results.Figures {
		if figure.Column == "index per event, bytes" {
			perEvent[figure.Row] = figure.Samples[0]
		}
	}
	page, err := os.ReadFile(root + "/docs/operations.md")
	require.NoError(t, err)
	text := strings.Join(strings.Fields(string(page)), " ")
	assert.Contains(t, text, fmt.Sprintf("The index adds %.2f to %.2f bytes per event in full blocks, %.0f bytes for an event that is alone",
		perEvent["100 000 000 events in full blocks"], perEvent["10 000 000 events in full blocks"], perEvent["1 000 000 blocks of one event"]))
}
