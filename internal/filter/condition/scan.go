package condition

import "strings"

// token is a piece of a condition's text. It need not be what OTTL's lexer makes of it: that
// takes a name apart where its case changes. Strings and brackets are the same.
type token struct {
	kind kind
	text string
	pos  int
}

type kind int

const (
	end kind = iota
	name
	number
	quoted
	operator // that compares
	result   // ) at the end of a call
	other
)

// isName says whether the token may be the name of a function.
func (t token) isName() bool {
	return t.kind == name && t.text != "and" && t.text != "or" && t.text != "not"
}

// isScalar says whether the token is no part of a map or a list: a literal or its sign, an
// enumeration, or the start or the end of a call, since no function returns a map or a list.
func (t token) isScalar() bool {
	switch t.kind {
	case number, quoted, result:
		return true
	case name:
		return t.text == "nil" || t.text == "true" || t.text == "false" || 'A' <= t.text[0] && t.text[0] <= 'Z'
	default:
		return t.text == "-" || t.text == "+" // of a number
	}
}

// scan returns the token at pos or after it, and the place behind it.
func scan(text string, pos int) (token, int, error) {
	for pos < len(text) && strings.IndexByte(" \t\n\f\r", text[pos]) >= 0 {
		pos++
	}
	if pos == len(text) {
		return token{kind: end, pos: pos}, pos, nil
	}
	stop, kind := pos+1, other
	switch b := text[pos]; {
	case b == '"':
		kind = quoted
		if stop = closingQuote(text, stop); stop == 0 {
			return token{}, 0, errorAt(text, pos, "the string is not closed")
		}
	case isLetter(b):
		kind, stop = name, skip(text, stop, isWord)
	case isDigit(b), b == '.' && stop < len(text) && isDigit(text[stop]):
		kind, stop = number, skip(text, stop, func(b byte) bool { return b == '.' || isWord(b) })
	case strings.IndexByte("=!<>", b) >= 0:
		if stop < len(text) && (text[stop] == '=' || b == '=' && text[stop] == '>') {
			stop++
		}
		if t := text[pos:stop]; t != "=" && t != "!" && t != "=>" {
			kind = operator
		}
	}
	return token{kind, text[pos:stop], pos}, stop, nil
}

// closingQuote returns the place behind the string whose content starts at pos, 0 without one.
func closingQuote(text string, pos int) int {
	for ; pos < len(text); pos++ {
		switch text[pos] {
		case '\\':
			pos++
		case '"':
			return pos + 1
		}
	}
	return 0
}

func skip(text string, pos int, in func(byte) bool) int {
	for pos < len(text) && in(text[pos]) {
		pos++
	}
	return pos
}

func isLetter(b byte) bool {
	return b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isWord(b byte) bool { return isLetter(b) || isDigit(b) }
