package event

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// NewID returns a new event id: a UUIDv7 (RFC 9562), which sorts by the time it was made. Ids are
// unique, not secret.
func NewID() string { return NewUUID(time.Now()).String() }

// NewUUID returns a UUIDv7 (RFC 9562) of a time: its milliseconds, then 12 bits of what is finer
// (method 3 of section 6.2), then 62 random bits. Ids are not secrets, so the bits come from the
// runtime's own ChaCha8, which the system seeded: that takes no lock and no system call, and less
// than half the time of uuid.NewV7.
func NewUUID(t time.Time) (id uuid.UUID) {
	const version, variant = 7, 0b10
	ms := uint64(t.UnixMilli())
	finer := uint64(t.Nanosecond()) % 1e6 << 12 / 1e6
	binary.BigEndian.PutUint64(id[:8], ms<<16|version<<12|finer)
	binary.BigEndian.PutUint64(id[8:], variant<<62|rand.Uint64()>>2)
	return id
}

// idNamespace is the namespace of the UUIDv5 that replaces an id that is too long.
var idNamespace = uuid.MustParse("6f0f6a3c-6a4e-5d0b-9c55-1d6a3f1f1f0e")

// replaceID returns the id of an event whose own id is longer than MaxIDBytes: always the same for
// the same one.
func replaceID(longID string) string { return uuid.NewSHA1(idNamespace, []byte(longID)).String() }
