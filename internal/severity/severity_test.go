package severity

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Each name that the Collector writes is read, in any case.
func TestNamesAreThoseOfTheCollector(t *testing.T) {
	for n := plog.SeverityNumberTrace; n <= plog.SeverityNumberFatal4; n++ {
		for _, name := range []string{n.String(), strings.ToLower(n.String())} {
			got, ok := Parse(name)
			require.True(t, ok)
			assert.Equal(t, Number(n), got)
		}
		assert.True(t, strings.HasPrefix(strings.ToUpper(n.String()), Number(n).Name()))
	}
	for _, name := range []string{"", "error0", "error1", "error5", " error", "17", "Unspecified", "debugging information", "err\u00f6r"} {
		_, ok := Parse(name)
		assert.False(t, ok, name)
	}
	assert.Empty(t, Number(0).Name())
	assert.Empty(t, Number(25).Name())
}

// What logging libraries write is read in any case, and docs/severities.md lists all of it.
func TestNamesOfLoggingLibraries(t *testing.T) {
	page, err := os.ReadFile("../../docs/severities.md")
	require.NoError(t, err)
	for name, number := range numbers {
		assert.LessOrEqual(t, len(name), maxName)
		row := fmt.Sprintf("| %d | `%s` |", number, plog.SeverityNumber(number))
		_, after, found := strings.Cut(string(page), row)
		require.True(t, found, row)
		line, _, _ := strings.Cut(after, "\n")
		assert.True(t, strings.Contains(line, "`"+name+"`") || strings.EqualFold(name, plog.SeverityNumber(number).String()), "%s in the row %s", name, row)
		for _, written := range []string{name, strings.ToUpper(name)} {
			got, ok := Parse(written)
			assert.True(t, ok, written)
			assert.Equal(t, number, got, written)
		}
	}
	for name, want := range map[string]Number{
		"WARNING": Warn, "CRITICAL": Fatal, "EMERGENCY": 23, "NOTICE": 10, "Information": Info, "PANIC": 22, "err": Error,
	} {
		got, _ := Parse(name)
		assert.Equal(t, want, got, name)
	}
}

func TestReaches(t *testing.T) {
	assert.True(t, Error.Reaches(Error))
	assert.True(t, Fatal.Reaches(Error))
	assert.False(t, Warn.Reaches(Error))
	assert.False(t, Number(0).Reaches(Trace), "an event without a severity")
	assert.True(t, Number(0).Reaches(0))
}

func TestCanReach(t *testing.T) {
	for n := Number(-1); n <= 30; n++ {
		for minimum := Number(0); minimum <= highest; minimum++ {
			if n.Reaches(minimum) {
				assert.True(t, n.Base().CanReach(minimum), "%d, at least %d", n, minimum)
			}
		}
	}
	assert.False(t, Warn.CanReach(Error))
	assert.False(t, Error.CanReach(Fatal))
}

func TestBaseHasNoStep(t *testing.T) {
	for n, want := range map[Number]Number{
		-1: 0, 0: 0, 1: Trace, 4: Trace, 5: Debug, 12: Info, 13: Warn, 20: Error, 21: Fatal, 24: Fatal, 25: 0,
	} {
		assert.Equal(t, want, n.Base(), n)
	}
}
