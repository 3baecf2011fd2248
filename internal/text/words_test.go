package text

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	assert.Equal(t, []string{"card", "declined", "é2", "x", "y"}, slices.Collect(Words("Card DECLINED: É2 (x_y)\xff")))
	assert.Empty(t, slices.Collect(Words(" -*- ")))
}

func TestSearchesThatAreRefused(t *testing.T) {
	for query, want := range map[string]string{
		"": "no word", "-!-": "no word", "*": "end of a word", "a*b": "end of a word", "*a": "end of a word",
		strings.Repeat("a ", 33): "33 words",
	} {
		_, err := NewSearch(query)
		require.ErrorContains(t, err, want, query)
	}
}

// A Search finds what comparing each word with each other finds.
func TestSearchAgreesWithWords(t *testing.T) {
	some := rapid.StringOfN(rapid.SampledFrom([]rune("abAB1kKſİßéÉ -_*\u0307.")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		query, values := some.Draw(t, "query"), rapid.SliceOfN(some, 0, 3).Draw(t, "values")
		s, err := NewSearch(query)
		if err != nil {
			return
		}
		var found Found
		var words []string
		for _, v := range values {
			found = s.Look(v, found)
			words = slices.AppendSeq(words, Words(v))
		}
		for i, term := range s.terms {
			want := slices.ContainsFunc(words, func(w string) bool {
				return w == term.word || term.prefix && strings.HasPrefix(w, term.word)
			})
			assert.Equal(t, want, found>>i&1 == 1, "%q in %q", term.word, values)
		}
		if !strings.Contains(query, "*") {
			assert.True(t, s.All(s.Look(query, 0)), "a text has its own words: %q", query)
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	s, err := NewSearch("card declined")
	require.NoError(b, err)
	value := strings.Repeat("GET /api/v1/products/1234 status ok ", 4)
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		if s.Look(value, 0) != 0 {
			b.Fatal("found")
		}
	}
}
