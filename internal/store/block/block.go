// Package block writes and reads blocks: some events stored as one message.
// docs/format.md describes them byte by byte.
package block

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/checksum"
	"github.com/isbl/telemetry/internal/store/wire"
)

// MaxHeaderBytes bounds the headers of a block on the wire.
const MaxHeaderBytes = 16 << 10

const idBytes = 16

// ErrDamaged means that a block is not what its writer stored.
var ErrDamaged = errors.New("damaged block")

// MaxRawBytes is the highest number of bytes of uncompressed LogsData of which a block
// always fits maxPayload, however badly they compress.
func MaxRawBytes(maxPayload int64) int {
	n := max(0, int(maxPayload)-MaxHeaderBytes)
	for n > 0 && s2.MaxEncodedLen(n) > int(maxPayload)-MaxHeaderBytes {
		n -= s2.MaxEncodedLen(n) - n
	}
	return n
}

// Encoder makes blocks, one after another: it keeps the room in which it compresses. The zero
// value is ready.
type Encoder struct{ room []byte }

// Encoded is a block ready to be stored.
type Encoded struct {
	// Header is what ParseHeader reads from Headers. It shares the summary's memory.
	Header Header
	// Headers and Payload are what is stored.
	Headers map[string][]string
	Payload []byte
	// ID is the id as a whole, in hexadecimal.
	ID string
}

// Encode makes a block of raw, which is OTLP LogsData with the summary s.
func (e *Encoder) Encode(raw []byte, s *Summary) Encoded {
	hash := xxh3.Hash128(raw).Bytes()
	id := hex.EncodeToString(hash[:])
	if room := s2.MaxEncodedLen(len(raw)); room > len(e.room) {
		e.room = make([]byte, room)
	}
	payload := bytes.Clone(s2.EncodeSnappy(e.room, raw))
	h := Header{
		Summary: *s, Severities: true, ID: binary.BigEndian.Uint32(hash[:]), Checksum: checksum.Of(payload),
	}
	return Encoded{Header: h, Headers: header(s, id, h.Checksum), Payload: payload, ID: id}
}

// RawBytes is the size of the LogsData of a block, after checking the payload against h. Its
// errors are ErrDamaged.
func RawBytes(h *Header, payload []byte) (int, error) {
	if checksum.Of(payload) != h.Checksum {
		return 0, fmt.Errorf("%w: the checksum does not match", ErrDamaged)
	}
	n, err := s2.DecodedLen(payload)
	if err != nil || n > maxRawBytes {
		return 0, fmt.Errorf("%w: bad decompressed length", ErrDamaged)
	}
	return n, nil
}

// AppendRaw appends the LogsData of a payload, of RawBytes bytes. Its errors are ErrDamaged.
func AppendRaw(dst, payload []byte, rawBytes int) ([]byte, error) {
	dst = slices.Grow(dst, rawBytes)
	end := len(dst) + rawBytes
	if _, err := s2.Decode(dst[len(dst):end], payload); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return dst[:end], nil
}

// maxRawBytes bounds what a reader decompresses: a block never holds more.
const maxRawBytes = 64 << 20

// Events are the events of a block, in order. They are shared between readers and must not
// be changed.
type Events struct {
	// Records are the encoded records.
	Records []wire.Record
	// RawBytes is the uncompressed size.
	RawBytes int

	raw    []byte
	decode sync.Once
	refs   atomic.Pointer[[]eventlog.Ref]
}

// Decode opens a block. Its errors are ErrDamaged.
func Decode(h *Header, payload []byte) (*Events, error) {
	raw, err := Raw(nil, h, payload)
	if err != nil {
		return nil, err
	}
	return Read(raw, h.Events)
}

// Raw appends the LogsData of a payload to dst, after checking the payload against h. Its errors
// are ErrDamaged.
func Raw(dst []byte, h *Header, payload []byte) ([]byte, error) {
	n, err := RawBytes(h, payload)
	if err != nil {
		return dst, err
	}
	return AppendRaw(dst, payload, n)
}

// Read opens the LogsData of a block of so many events, which must not change. Its errors
// are ErrDamaged.
func Read(raw []byte, events int) (*Events, error) {
	records, ok := wire.Records(raw, events)
	if !ok { // it may be LogsData all the same
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		raw, _ = (&plog.ProtoMarshaler{}).MarshalLogs(ld) // protobuf has a form for all logs
		if records, ok = wire.Records(raw, events); !ok {
			return nil, fmt.Errorf("%w: no canonical records", ErrDamaged)
		}
	}
	if len(records) != events {
		return nil, fmt.Errorf("%w: %d records instead of %d", ErrDamaged, len(records), events)
	}
	return &Events{Records: records, RawBytes: len(raw), raw: raw}, nil
}

// Refs returns the records, decoded when somebody asks for the first time.
func (e *Events) Refs() []eventlog.Ref {
	e.decode.Do(func() {
		refs := slices.AppendSeq(make([]eventlog.Ref, 0, len(e.Records)), eventlog.All(decode(e.raw)))
		e.refs.Store(&refs)
	})
	return *e.refs.Load()
}

// Ref returns one record. Unless Refs was called, it decodes this record alone, for each call.
func (e *Events) Ref(i int) eventlog.Ref {
	if refs := e.refs.Load(); refs != nil {
		return (*refs)[i]
	}
	for ref := range eventlog.All(decode(e.Records[i].AppendOTLP(nil))) {
		return ref
	}
	panic("block: a record is not decoded")
}

// decode decodes LogsData that wire.Records has looked at, so that it is without errors.
func decode(raw []byte) plog.Logs {
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil {
		panic(fmt.Sprintf("block: decode valid LogsData: %v", err))
	}
	return ld
}
