// Package measure finds what a request holds before it is decoded: how many records, how deep its
// values are nested, and about how much memory its decoded form takes. It reads the bytes once,
// does not recurse and allocates nothing for requests of usual depth, so that a hostile request
// costs no more than its own length.
package measure

import "errors"

// MaxNesting is how many levels of lists and maps a request may have at most, beyond which decoding
// it, which recurses, could need too much stack. Records that are nested less deeply and still too
// deeply to be stored are refused one by one, once decoded.
const MaxNesting = 512

var (
	// ErrTooDeep says that values are nested deeper than MaxNesting.
	ErrTooDeep = errors.New("values are nested too deeply")
	// ErrTooMany says that there are more records than allowed.
	ErrTooMany = errors.New("too many records")
	// ErrMalformed says that the bytes are no protobuf.
	ErrMalformed = errors.New("the protobuf is malformed")
)

// Size is what a request holds.
type Size struct {
	// Records is the number of log records.
	Records int
	// Bytes is about how much memory the decoded request takes. It errs on the high side.
	Bytes int64
	// End is where the first object of a JSON text ends, 0 where it does not.
	End int
}

// What decoded values take in bytes, with the room that growing slices leave unused. The tests hold
// these figures against the decoder.
const (
	costResourceLogs = 160
	costScopeLogs    = 144
	costRecord       = 152
	costEntity       = 96
	costKeyValue     = 80 // 40, in a slice that doubles
	costAnyValue     = 32 // 16, in a slice that doubles
	costNested       = 48 // what an AnyValue points to for a list or a map
	costScalar       = 8
	costString       = 24 // the pointer to it, and what the allocator rounds up
	costText         = 8  // a string that is a field: what the allocator rounds up
	costListed       = 40 // a string in a slice that doubles
)
