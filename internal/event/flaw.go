package event

import (
	"unicode/utf8"

	"github.com/isbl/telemetry/internal/severity"
)

// Flaw is a set of reasons why values of a record cannot stay as they are. A view finds them in
// all strings, lists and maps of a record, its scope and its resource.
type Flaw uint8

const (
	// FlawTooDeep says that lists and maps are nested deeper than MaxDepth. Who looks stops there.
	FlawTooDeep Flaw = 1 << iota
	// FlawRepeated says that a map has a name twice, which OTLP forbids. The last one counts.
	FlawRepeated
	// FlawText says that a string is not UTF-8. ValidText repairs it.
	FlawText
)

// TextFlaw returns the flaw of a string; 0 for none.
func TextFlaw(s string) Flaw {
	if utf8.ValidString(s) {
		return 0
	}
	return FlawText
}

// Names notices a name that may have come before, among the names of one map. Most maps have few
// names, so that it is rarely wrong.
type Names uint64

// MayRepeat adds a name, and reports whether it may have come before. It never misses one that did.
func (n *Names) MayRepeat(name string) bool {
	bit := Names(1) << (sketch(name) % 64)
	before := *n&bit != 0
	*n |= bit
	return before
}

// sketch mixes the length and some characters of a name.
func sketch(name string) uint {
	n := len(name)
	if n == 0 {
		return 0
	}
	return uint(n)*7 ^ uint(name[0])*5 ^ uint(name[n/2])*11 ^ uint(name[n-1])*3
}

// SeverityOf returns the severity number of a record: its own, else that of its severity text, else
// 0.
func SeverityOf(number int32, text string) int32 {
	if number != 0 || text == "" {
		return number
	}
	n, _ := severity.Parse(text)
	return int32(n)
}
