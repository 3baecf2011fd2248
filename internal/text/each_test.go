package text

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The words that are visited are those of Words, also where a text is not ASCII or not UTF-8.
func TestEachWordVisitsTheWords(t *testing.T) {
	random := rand.New(rand.NewPCG(20, 4))
	pieces := []string{"a", "B", "9", " ", "-", "_", ".", "é", "İ", "ß", "日", "\xff", "Card", "u-1"}
	var room []byte
	for range 5000 {
		var b strings.Builder
		for range random.IntN(8) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		var got []string
		room = EachWord(b.String(), room, func(word []byte) { got = append(got, string(word)) })
		require.Equal(t, slices.Collect(Words(b.String())), got, "%q", b.String())
	}
}
