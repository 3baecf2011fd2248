package block

import (
	"fmt"
	"net/url"
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
	version = "1"
	// maxCountBytes is the room of "=count:estimated,".
	maxCountBytes = 40
)

// Header is what the headers of a block say.
type Header struct {
	Summary
	// ID starts the block's id.
	ID uint32
	// Checksum is the CRC-32C of the payload as stored.
	Checksum uint32
}

// ParseHeader reads the headers of a block.
func ParseHeader(h map[string][]string) (Header, error) {
	p := parser{h: h}
	if v := p.get(HeaderVersion); v != version {
		return Header{}, fmt.Errorf("block format %q is not known, only %q", v, version)
	}
	var out Header
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

func writeNames(h map[string][]string, list, others string, n *Names) {
	if len(n.List) > 0 {
		var b []byte
		for i, nc := range n.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, encode(nc.Name)...)
			b = append(b, '=')
			b = appendCount(b, nc.Count)
		}
		h[list] = []string{string(b)}
	}
	if n.Others.Events > 0 {
		h[others] = []string{string(appendCount(nil, n.Others))}
	}
}

func appendCount(b []byte, c Count) []byte {
	b = strconv.AppendUint(b, c.Events, 10)
	if c.Estimated != float64(c.Events) {
		b = append(b, ':')
		b = strconv.AppendFloat(b, c.Estimated, 'g', -1, 64)
	}
	return b
}

func encode(name string) string {
	return strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

func encodedLen(name string) int {
	n := len(name)
	for i := range len(name) {
		if c := name[i]; !unreserved(c) {
			n += 2
		}
	}
	return n
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
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

func (p *parser) count(key, s string) Count {
	events, estimated, sampled := strings.Cut(s, ":")
	c := Count{Events: p.uint(key, events, 64)}
	c.Estimated = float64(c.Events)
	if sampled {
		var err error
		if c.Estimated, err = strconv.ParseFloat(estimated, 64); err != nil {
			p.fail(key, s)
		}
	}
	return c
}

func (p *parser) names(list, others string) (n Names) {
	if s := p.get(list); s != "" {
		for entry := range strings.SplitSeq(s, ",") {
			escaped, count, _ := strings.Cut(entry, "=")
			name, err := url.PathUnescape(escaped)
			if err != nil {
				p.fail(list, entry)
			}
			n.List = append(n.List, NameCount{name, p.count(list, count)})
		}
	}
	if s := p.get(others); s != "" {
		n.Others = p.count(others, s)
	}
	return n
}
