package compress

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encoder is one compressed answer at a time.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(to io.Writer)
}

// encoding is a way to compress.
type encoding struct {
	name  string
	bytes int64 // about what an encoder takes, measured
	fresh func() encoder
	idle  chan encoder // to be used again
}

// encodings are those that there are, the one that costs least first. Both are at their fastest: on
// events in JSON, higher levels save a few percent and take several times as long.
var encodings = []*encoding{
	{name: "zstd", bytes: 700 << 10, idle: make(chan encoder, 2), fresh: func() encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10),
			zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // the options are right
		}
		return e
	}},
	{name: "gzip", bytes: 840 << 10, idle: make(chan encoder, 2), fresh: func() encoder {
		e, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is right
		}
		return e
	}},
}

// take returns an encoder that writes to w; nil where there is no memory for it.
func (e *encoding) take(room *room, w io.Writer) encoder {
	if !room.take(e.bytes) {
		return nil
	}
	var chosen encoder
	select {
	case chosen = <-e.idle:
	default:
		chosen = e.fresh()
	}
	chosen.Reset(w)
	return chosen
}

// give gives an encoder back.
func (e *encoding) give(used encoder) {
	used.Reset(nil) // so that it does not keep the connection
	select {
	case e.idle <- used:
	default:
	}
}

// negotiate returns the encoding that the values of an Accept-Encoding header like best, and of
// equals the first of encodings; nil when they like none better than no encoding (RFC 9110,
// 12.5.3).
func negotiate(accept []string) *encoding {
	qualities := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameter, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" {
			name = "gzip"
		}
		quality := 1.0
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				continue // what we do not understand asks for nothing we have
			}
			quality = q
		}
		qualities[name] = quality
	}
	quality := func(e *encoding) float64 {
		if q, named := qualities[e.name]; named {
			return q
		}
		return qualities["*"]
	}
	best := slices.MaxFunc(encodings, func(a, b *encoding) int {
		switch qa, qb := quality(a), quality(b); {
		case qa > qb:
			return 1
		case qa < qb:
			return -1
		}
		return 0 // MaxFunc returns the first
	})
	if q := quality(best); q <= 0 || q < qualities["identity"] {
		return nil
	}
	return best
}
