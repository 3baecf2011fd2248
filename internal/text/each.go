package text

import "unicode/utf8"

// EachWord calls visit with each word of s, as Words has them. It uses room, and returns it for the
// next call; visit must not keep the word.
func EachWord(s string, room []byte, visit func(word []byte)) []byte {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			for word := range Words(s) {
				room = append(room[:0], word...)
				visit(room)
			}
			return room
		}
	}
	room = room[:0]
	for i := range len(s) {
		if b := lower[s[i]]; b != 0 {
			room = append(room, b)
		} else if len(room) > 0 {
			visit(room)
			room = room[:0]
		}
	}
	if len(room) > 0 {
		visit(room)
	}
	return room
}

// Words are the words that a text must have; those with a * are not among them.
func (s *Search) Words() []string {
	var words []string
	for _, t := range s.terms {
		if !t.prefix {
			words = append(words, t.word)
		}
	}
	return words
}
