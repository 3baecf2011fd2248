package block

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of the headers; docs/format.md says what they hold.
const (
	HeaderVersion       = "Isbl-Block"
	HeaderEvents        = "Isbl-Events"
	HeaderTime          = "Isbl-Time"
	HeaderTypes         = "Isbl-Types"
	HeaderTypesOthers   = "Isbl-Types-Others"
	HeaderSources       = "Isbl-Sources"
	HeaderSourcesOthers = "Isbl-Sources-Others"
	HeaderChecksum      = "Isbl-Checksum"
	HeaderID            = "Nats-Msg-Id"
)

const (
	version = "2"
	// versionWithoutSeverities is the one before.
	versionWithoutSeverities = "1"
)

// Header is what the headers of a block say.
type Header struct {
	Summary
	// Severities says that Types are counted by severity: not those of blocks of version 1.
	Severities bool
	// ID starts the block's id.
	ID uint32
	// Checksum is the CRC-32C of the payload as stored.
	Checksum uint32
}

// ParseHeader reads the headers of a block.
func ParseHeader(h map[string][]string) (Header, error) {
	p := parser{h: h}
	v := p.get(HeaderVersion)
	if v != version && v != versionWithoutSeverities {
		return Header{}, fmt.Errorf("block format %q is not known, only %q and %q", v, versionWithoutSeverities, version)
	}
	out := Header{Severities: v == version}
	out.Events = int(p.uint(HeaderEvents, p.get(HeaderEvents), 16))
	first, last, _ := strings.Cut(p.get(HeaderTime), ",")
	out.First, out.Last = p.int(HeaderTime, first), p.int(HeaderTime, last)
	out.Types = p.names(HeaderTypes, HeaderTypesOthers)
	out.Sources = p.names(HeaderSources, HeaderSourcesOthers)
	out.Checksum = uint32(p.hex(HeaderChecksum, p.get(HeaderChecksum)))
	if id := p.get(HeaderID); len(id) == 2*idBytes {
		out.ID = uint32(p.hex(HeaderID, id[:8]))
	} else {
		p.fail(HeaderID, id)
	}
	if out.Events == 0 {
		p.fail(HeaderEvents, p.get(HeaderEvents))
	}
	return out, p.err
}

// ID returns the id of a block as a whole, as its headers have it.
func ID(headers map[string][]string) string { return (&parser{h: headers}).get(HeaderID) }

// header writes the headers of a block.
func header(s *Summary, id string, checksum uint32) map[string][]string {
	h := map[string][]string{
		HeaderVersion:  {version},
		HeaderEvents:   {strconv.Itoa(s.Events)},
		HeaderTime:     {strconv.FormatInt(s.First, 10) + "," + strconv.FormatInt(s.Last, 10)},
		HeaderChecksum: {fmt.Sprintf("%08x", checksum)},
		HeaderID:       {id},
	}
	writeNames(h, HeaderTypes, HeaderTypesOthers, &s.Types)
	writeNames(h, HeaderSources, HeaderSourcesOthers, &s.Sources)
	return h
}

// parser keeps the first error.
type parser struct {
	h   map[string][]string
	err error
}

func (p *parser) get(key string) string {
	if v := p.h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (p *parser) fail(key, value string) {
	if p.err == nil {
		p.err = fmt.Errorf("block header %s: bad value %.64q", key, value)
	}
}

func (p *parser) uint(key, s string, bits int) uint64 {
	v, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		p.fail(key, s)
	}
	return v
}

func (p *parser) int(key, s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		p.fail(key, s)
	}
	return v
}

func (p *parser) hex(key, s string) uint64 {
	v, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		p.fail(key, s)
	}
	return v
}
