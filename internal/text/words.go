package text

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words are the words of a text: runs of letters and digits of Unicode, in lower case.
func Words(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.FieldsFuncSeq(s, isNoWord) {
			if !yield(strings.ToLower(word)) {
				return
			}
		}
	}
}

func isNoWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// Search looks for words in several texts. It is immutable and safe for concurrent use.
type Search struct{ terms []term }

// term is a word in lower case, or how words begin.
type term struct {
	word   string
	prefix bool
}

// maxTerms is how many words a Search looks for: as many as Found has bits.
const maxTerms = 32

// Found is which words of a Search were found, one bit each. The zero Found is none.
type Found uint32

// NewSearch reads the words to look for; a * behind one looks for all words that begin with it.
func NewSearch(query string) (*Search, error) {
	s := &Search{}
	for part := range strings.FieldsFuncSeq(query, func(r rune) bool { return r != '*' && isNoWord(r) }) {
		word, prefix := strings.CutSuffix(part, "*")
		if word == "" || strings.Contains(word, "*") {
			return nil, errors.New("a * may stand at the end of a word only, as in declin*")
		}
		s.terms = append(s.terms, term{strings.ToLower(word), prefix})
	}
	switch {
	case len(s.terms) == 0:
		return nil, fmt.Errorf("%s has no word: write letters or digits", Quote(query))
	case len(s.terms) > maxTerms:
		return nil, fmt.Errorf("it has %d words, but may have %d", len(s.terms), maxTerms)
	}
	return s, nil
}

// All says whether every word was found.
func (s *Search) All(found Found) bool { return bits.OnesCount32(uint32(found)) == len(s.terms) }

// Look adds to found the words that value has.
func (s *Search) Look(value string, found Found) Found {
	for at := 0; at < len(value); {
		if value[at] >= utf8.RuneSelf {
			return s.lookSlowly(value, found)
		}
		if lower[value[at]] == 0 {
			at++
			continue
		}
		end := at + 1
		for end < len(value) && value[end] < utf8.RuneSelf && lower[value[end]] != 0 {
			end++
		}
		if end < len(value) && value[end] >= utf8.RuneSelf {
			return s.lookSlowly(value[at:], found)
		}
		for i := range s.terms {
			if found>>i&1 == 0 && s.terms[i].isASCII(value[at:end]) {
				found |= 1 << i
			}
		}
		at = end
	}
	return found
}

// lookSlowly is Look for texts of more than ASCII.
func (s *Search) lookSlowly(value string, found Found) Found {
	for word := range Words(value) {
		for i, t := range s.terms {
			if word == t.word || t.prefix && strings.HasPrefix(word, t.word) {
				found |= 1 << i
			}
		}
	}
	return found
}

// lower are the letters and digits of ASCII in lower case, 0 for other bytes.
var lower = func() (table [utf8.RuneSelf]byte) {
	for b := range table {
		if !isNoWord(rune(b)) {
			table[b] = byte(unicode.ToLower(rune(b)))
		}
	}
	return table
}()

// isASCII says whether a word of ASCII is the term.
func (t *term) isASCII(word string) bool {
	if len(word) < len(t.word) || len(word) > len(t.word) && !t.prefix {
		return false
	}
	for i := range len(t.word) {
		if lower[word[i]] != t.word[i] {
			return false
		}
	}
	return true
}
