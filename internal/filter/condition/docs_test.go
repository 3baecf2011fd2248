package condition

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The documentation lists the functions that a condition may call, and no others.
func TestDocumentedFunctions(t *testing.T) {
	text, err := os.ReadFile("../../../exporter/eventstoreexporter/README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "call these functions of OTTL:")
	require.True(t, found)
	section, _, found = strings.Cut(section, "Others could take")
	require.True(t, found)
	var documented []string
	for _, match := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(section, -1) {
		documented = append(documented, match[1])
	}
	slices.Sort(documented)
	assert.Equal(t, Functions(), documented)
}
