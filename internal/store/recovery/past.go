package recovery

import (
	"encoding/binary"
	"errors"
	"os"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/checksum"
	"github.com/isbl/telemetry/internal/store/index"
)

const (
	pastFile  = "evicted"
	pastMagic = "ISBLEVI1"
	// pastHead is the size of what comes before the blocks, pastBlock that of one.
	pastHead  = len(pastMagic) + 8 + 8
	pastBlock = 2 + 4
)

var errPast = errors.New("the file is damaged")

// NotePast writes what is remembered of evicted blocks, for readers that come after a restart.
func (r *Recovery) NotePast(x *index.Index) {
	if r.opts.Directory == "" {
		return
	}
	if err := writeFile(r.path(pastFile), string(r.encodePast(x.Past()))); err != nil {
		r.opts.Logger.Warn("the store cannot note what it evicted: after a restart, readers do not learn how many events they missed",
			zap.Error(err))
	}
}

// RecallPast gives the index what NotePast wrote in this generation.
func (r *Recovery) RecallPast(x *index.Index) {
	if r.opts.Directory == "" {
		return
	}
	b, err := os.ReadFile(r.path(pastFile))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		var p index.Past
		if p, err = r.decodePast(b); err == nil {
			x.Remember(p)
			return
		}
	}
	r.opts.Logger.Warn("what the store remembers of evicted blocks cannot be read: some readers do not learn how many events they missed",
		zap.String("path", r.path(pastFile)), zap.Error(err))
}

func (r *Recovery) encodePast(p index.Past) []byte {
	b := make([]byte, 0, pastHead+pastBlock*len(p.Counts)+checksum.Bytes)
	b = append(b, pastMagic...)
	b = binary.LittleEndian.AppendUint64(b, r.Hash())
	b = binary.LittleEndian.AppendUint64(b, p.Base)
	for i, events := range p.Counts {
		b = binary.LittleEndian.AppendUint16(b, events)
		b = binary.LittleEndian.AppendUint32(b, p.IDs[i])
	}
	return binary.LittleEndian.AppendUint32(b, checksum.Of(b))
}

// decodePast returns nothing of a file that is of another generation.
func (r *Recovery) decodePast(b []byte) (p index.Past, err error) {
	blocks := len(b) - pastHead - checksum.Bytes
	if blocks < 0 || blocks%pastBlock != 0 || string(b[:len(pastMagic)]) != pastMagic {
		return p, errPast
	}
	b, sum := b[:pastHead+blocks], b[pastHead+blocks:]
	if binary.LittleEndian.Uint32(sum) != checksum.Of(b) {
		return p, errPast
	}
	if binary.LittleEndian.Uint64(b[len(pastMagic):]) != r.Hash() {
		return p, nil
	}
	p.Base = binary.LittleEndian.Uint64(b[len(pastMagic)+8:])
	for b = b[pastHead:]; len(b) > 0; b = b[pastBlock:] {
		p.Counts = append(p.Counts, binary.LittleEndian.Uint16(b))
		p.IDs = append(p.IDs, binary.LittleEndian.Uint32(b[2:]))
	}
	return p, nil
}
