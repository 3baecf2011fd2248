package otlpjson

import (
	"encoding/hex"
	"errors"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/severity"
)

const null = 'n'

// fault is what is wrong with the value that was read last.
func (r *reader) fault(format string, args ...any) *event.Fault {
	return event.NewFault(event.ReasonMalformed, format, args...).At(string(r.dec.StackPointer()))
}

// malformed says where the text is not JSON.
func (r *reader) malformed(err error) *event.Fault {
	var syntactic *jsontext.SyntacticError
	if !errors.As(err, &syntactic) {
		return event.NewFault(event.ReasonMalformed, "is not JSON: it ends early")
	}
	return event.NewFault(event.ReasonMalformed, "is not JSON: %v, at byte %d", syntactic.Err, int64(r.from)+syntactic.ByteOffset)
}

func (r *reader) end() *event.Fault {
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return event.NewFault(event.ReasonMalformed, "is followed by something else")
	}
	return nil
}

func (r *reader) skip() *event.Fault {
	if err := r.dec.SkipValue(); err != nil {
		return r.malformed(err)
	}
	return nil
}

// enter begins to read an object or a list. There is none to read where there is null.
func (r *reader) enter(kind jsontext.Kind, name string) (entered bool, f *event.Fault) {
	switch r.dec.PeekKind() {
	case kind:
		if _, err := r.dec.ReadToken(); err != nil {
			return false, r.malformed(err)
		}
		return true, nil
	case null:
		return false, r.skip()
	}
	if f := r.skip(); f != nil {
		return false, f
	}
	return false, r.fault("must be %s", name)
}

// leave reads the end of an object or a list.
func (r *reader) leave() *event.Fault {
	if _, err := r.dec.ReadToken(); err != nil {
		return r.malformed(err)
	}
	return nil
}

// object reads a message. member reads the value of each member, or skips it.
func (r *reader) object(member func(name string) *event.Fault) *event.Fault {
	entered, f := r.enter('{', "an object")
	if !entered {
		return f
	}
	for r.dec.PeekKind() == '"' {
		name, err := r.dec.ReadToken()
		if err != nil {
			return r.malformed(err)
		}
		if f := member(name.String()); f != nil {
			return f
		}
	}
	return r.leave()
}

// list reads a repeated field. element reads each element, whose pointer it is given.
func (r *reader) list(element func(pointer string) *event.Fault) *event.Fault {
	entered, f := r.enter('[', "a list")
	if !entered {
		return f
	}
	list := string(r.dec.StackPointer())
	for i := 0; ; i++ {
		if kind := r.dec.PeekKind(); kind == ']' || kind == 0 {
			return r.leave()
		}
		if f := element(list + "/" + strconv.Itoa(i)); f != nil {
			return f
		}
	}
}

// scalar reads a value that is no list and no object: the text of a string or of a number, "true"
// or "false". kind is null where there is none.
func (r *reader) scalar() (text string, kind jsontext.Kind, f *event.Fault) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", 0, r.malformed(err)
	}
	switch kind = raw.Kind(); kind {
	case '"':
		unquoted, _ := jsontext.AppendUnquote(nil, raw) // the error is that it repaired something
		return event.ValidText(string(unquoted)), kind, nil
	case '{', '[':
		return "", kind, r.fault("must be no object and no list")
	}
	return string(raw), kind, nil
}

// text reads a string. A number is taken for the text that it is written with.
func (r *reader) text(set func(string)) *event.Fault {
	s, kind, f := r.scalar()
	switch {
	case f != nil:
		return f
	case kind == 't' || kind == 'f':
		return r.fault("must be a string, not %s", s)
	case kind == null:
		s = ""
	}
	set(s)
	return nil
}

// unsigned reads a number of so many bits that is not negative.
func unsigned(r *reader, bits int, set func(uint64)) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null {
		return f
	}
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		whole, ok := wholeOf(s)
		if !ok || !whole.IsUint64() || whole.BitLen() > bits {
			return r.fault("must be a whole number of %d bits, not negative: %.40q", bits, s)
		}
		n = whole.Uint64()
	}
	set(n)
	return nil
}

// wholeOf reads a whole number that is written with a fraction or an exponent.
func wholeOf(s string) (*big.Int, bool) {
	const longest = 64
	f, err := strconv.ParseFloat(s, 64)
	if abs := math.Abs(f); err != nil || len(s) > longest || abs > 1<<65 || abs > 0 && abs < 1 {
		return nil, false
	}
	if f == 0 { // whatever the exponent is
		mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
		return new(big.Int), strings.Trim(mantissa, "-+0.") == ""
	}
	rat, ok := new(big.Rat).SetString(s)
	if !ok || !rat.IsInt() {
		return nil, false
	}
	return rat.Num(), true
}

// severity reads the enum SeverityNumber: a number, or the name of one.
func (r *reader) severity(set func(int32)) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null {
		return f
	}
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		set(int32(n))
		return nil
	}
	if whole, ok := wholeOf(s); ok && whole.IsInt64() && int64(int32(whole.Int64())) == whole.Int64() {
		set(int32(whole.Int64()))
		return nil
	}
	const prefix, none = "SEVERITY_NUMBER_", "UNSPECIFIED"
	name, prefixed := strings.CutPrefix(s, prefix)
	if prefixed && name == none {
		set(0)
		return nil
	}
	n, ok := severity.Parse(name)
	if !ok {
		return r.fault("must be a SeverityNumber, not %.40q", s)
	}
	set(int32(n))
	return nil
}

// hex reads an id.
func (r *reader) hex(into []byte) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null || s == "" {
		return f
	}
	b, err := hex.DecodeString(s)
	if err != nil || kind != '"' || len(b) != len(into) {
		return r.fault("must be %d hexadecimal digits", 2*len(into))
	}
	copy(into, b)
	return nil
}
