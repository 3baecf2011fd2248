package eventjson

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/isbl/telemetry/internal/event"
)

// List reads a JSON list element by element, or a value that is no list as the only one. It looks
// at every byte once: each element is read by one, which is given the text from its start and says
// how much of it was the element. Where one fails, the end of the element is looked for, so that a
// bad one costs the others nothing; a fault of List means that there is no telling where the others
// are. A negative length ends the reading.
func List(body []byte, one func(from []byte) (length int, ok bool)) *event.Fault {
	rest, inList := trim(body), IsList(body)
	if inList {
		if rest = trim(rest[1:]); len(rest) > 0 && rest[0] == ']' {
			return nothing(body, rest[1:])
		}
	}
	for {
		n, ok := one(rest)
		if n < 0 {
			return nil
		}
		if !ok {
			var f *event.Fault
			if n, f = length(rest); f != nil {
				return event.NewFault(f.Reason, "%s, in the value at byte %d", f.Detail, len(body)-len(rest))
			}
		}
		switch rest = trim(rest[n:]); {
		case !inList:
			return nothing(body, rest)
		case len(rest) == 0:
			return event.NewFault(event.ReasonMalformed, "is not JSON: the list has no end")
		case rest[0] == ']':
			return nothing(body, rest[1:])
		case rest[0] != ',':
			return event.NewFault(event.ReasonMalformed, "is not JSON: neither , nor ] at byte %d", len(body)-len(rest))
		}
		rest = trim(rest[1:])
	}
}

// At returns the text of the value in body that a pointer leads to, nil for none. Where a name is
// there twice, the first one counts. The fault is that of a body that is not JSON.
func At(body []byte, path jsontext.Pointer) (value []byte, f *event.Fault) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	found, err := true, error(nil)
	for name := range path.Tokens() {
		if found, err = descend(dec, name); err != nil {
			return nil, malformed(err)
		}
		if !found {
			break
		}
	}
	if found {
		raw, err := dec.ReadValue()
		if err != nil {
			return nil, malformed(err)
		}
		end := int(dec.InputOffset())
		value = body[end-len(raw) : end]
	}
	for !found || dec.StackDepth() > 0 { // to the end
		if _, err := dec.ReadToken(); err != nil {
			return nil, malformed(err)
		}
		found = true
	}
	return value, nothing(body, body[dec.InputOffset():])
}

// descend goes into the next value, to its member or element of a name, if there is one.
func descend(dec *jsontext.Decoder, name string) (found bool, err error) {
	kind := dec.PeekKind()
	if kind != object && kind != list {
		return false, nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return false, err
	}
	want := Index(name)
	for i := 0; ; i++ {
		if next := dec.PeekKind(); next == '}' || next == ']' {
			return false, nil
		}
		is := i == want
		if kind == object {
			tok, err := dec.ReadToken()
			if err != nil {
				return false, err
			}
			is = tok.String() == name
		}
		if is {
			return true, nil
		}
		if err := dec.SkipValue(); err != nil {
			return false, err
		}
	}
}

// Index returns the place in a list that a name in a pointer means, -1 for none.
func Index(name string) int {
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || strconv.Itoa(i) != name {
		return -1
	}
	return i
}

// IsList says whether a text starts as a list.
func IsList(body []byte) bool {
	body = trim(body)
	return len(body) > 0 && body[0] == '['
}

// nothing makes sure that no more follows.
func nothing(body, rest []byte) *event.Fault {
	if rest = trim(rest); len(rest) > 0 {
		return event.NewFault(event.ReasonMalformed, "is followed by something else, at byte %d", len(body)-len(rest))
	}
	return nil
}

// length finds the end of the value that text starts with.
func length(text []byte) (int, *event.Fault) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := dec.SkipValue(); err != nil {
		return 0, malformed(err)
	}
	return int(dec.InputOffset()), nil
}

// Value is the JSON value that a text starts with, without what follows; the whole text where it
// has no end.
func Value(text []byte) []byte {
	n, f := length(text)
	if f != nil {
		return text
	}
	return text[:n]
}

// WithoutBOM skips the byte order mark that some programs write before a text.
func WithoutBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// Lines reads lines that are one value each, as List does. Empty ones do not count.
func Lines(body []byte, one func(line []byte)) {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			one(line)
		}
	}
}

func trim(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }
