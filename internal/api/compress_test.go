package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/budget"
)

// decoder reads a compressed body.
func decoder(t testing.TB, encoding string, body io.Reader) io.Reader {
	t.Helper()
	switch encoding {
	case "gzip":
		d, err := gzip.NewReader(body)
		require.NoError(t, err)
		return d
	case "zstd":
		d, err := zstd.NewReader(body)
		require.NoError(t, err)
		t.Cleanup(d.Close)
		return d
	default:
		return body
	}
}

// What is compressed is the same answer, smaller: in every format, with its headers and trailers.
func TestCompressedAnswers(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(allLimit+10)...)
	for _, path := range []string{
		"/", "/api/v1/openapi.yaml", "/api/v1/events?limit=200", "/api/v1/events?limit=200&format=ndjson", "/api/v1/events?limit=200&format=csv",
		"/api/v1/events?limit=200&format=otlp", "/api/v1/events?limit=200&format=cloudevents", "/api/v1/counts?interval=1m",
		"/api/v1/events?limit=all&format=ndjson", "/api/v1/events?limit=all&format=ndjson&end=1", "/api/v1/events?limit=all&format=otlp",
	} {
		plain := c.get(path, "Accept-Encoding", "identity")
		require.Equal(t, http.StatusOK, plain.StatusCode, path)
		assert.Empty(t, plain.Header.Get("Content-Encoding"))
		for _, encoding := range []string{"gzip", "zstd"} {
			a := c.get(path, "Accept-Encoding", encoding)
			assert.Equal(t, encoding, a.Header.Get("Content-Encoding"), path)
			assert.Contains(t, a.Header.Values("Vary"), "Accept-Encoding", path)
			assert.Equal(t, plain.Header.Values("Vary"), a.Header.Values("Vary"), "also where it is not compressed: a cache must know")
			if length := a.Header.Get("Content-Length"); length != "" { // net/http counts what is short
				assert.Equal(t, strconv.Itoa(len(a.body)), length)
			}
			assert.Less(t, len(a.body), len(plain.body)*2/3, path)
			body, err := io.ReadAll(decoder(t, encoding, bytes.NewReader(a.body)))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(plain.body, body), path)
			for _, name := range []string{"Content-Type", "Event-Next", "Event-More"} {
				assert.Equal(t, plain.Header.Get(name), a.Header.Get(name), path)
				assert.Equal(t, plain.Trailer.Get(name), a.Trailer.Get(name), path)
			}
			head := c.do(http.MethodHead, path, "Accept-Encoding", encoding)
			assert.Equal(t, encoding, head.Header.Get("Content-Encoding"), path)
			assert.Equal(t, int64(-1), head.ContentLength, path)
		}
	}
}

func TestWhatIsCompressed(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(100)...)
	const long = "/api/v1/events?limit=100"
	for accept, want := range map[string]string{
		"identity":                      "",
		"br":                            "",
		"gzip":                          "gzip",
		"GZIP":                          "gzip",
		"x-gzip":                        "gzip",
		"zstd":                          "zstd",
		"gzip, deflate, br, zstd":       "zstd",
		"gzip;q=1.0, zstd;q=0.5":        "gzip",
		"gzip;q=0":                      "",
		"gzip;q=0, *":                   "zstd",
		"*":                             "zstd",
		"*;q=0":                         "",
		"identity, gzip;q=0.5":          "",
		"gzip ; q=0.8 , identity;q=0.1": "gzip",
		"gzip;q=much":                   "",
	} {
		assert.Equal(t, want, c.get(long, "Accept-Encoding", accept).Header.Get("Content-Encoding"), accept)
	}
	for _, path := range []string{"/api/v1/events?limit=1", "/api/v1/events?limit=nonsense", "/nothing"} {
		a := c.get(path, "Accept-Encoding", "gzip, zstd")
		assert.Empty(t, a.Header.Get("Content-Encoding"), "%s is small", path)
		assert.NotEmpty(t, a.Header.Get("Content-Length"))
	}
	v := c.view(t, "from=start", "Accept-Encoding", "gzip, zstd")
	assert.Empty(t, v.resp.Header.Get("Content-Encoding"), "Server-Sent Events are as they are")
}

// Each line of a stream arrives when it was written, and heartbeats do too.
func TestCompressedStream(t *testing.T) {
	for _, encoding := range []string{"gzip", "zstd"} {
		c := newClient(t, Options{})
		v := c.view(t, "format=ndjson", "Accept-Encoding", encoding)
		require.Equal(t, encoding, v.resp.Header.Get("Content-Encoding"))
		events := numbered(50)
		fill(t, c.store, events[0])
		lines := bufio.NewReader(decoder(t, encoding, v.resp.Body))
		for i := range events {
			if i > 0 {
				fill(t, c.store, events[i])
			}
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			assert.Contains(t, line, events[i].EventID)
		}
	}
}

// Encoders take their memory of that of answers, and leave most of it. Without memory an answer is
// as it is.
func TestMemoryOfCompression(t *testing.T) {
	answers := budget.New(32 << 20)
	c := newClient(t, Options{Answers: answers})
	fill(t, c.store, numbered(100)...)
	compressed := 0
	for range 30 {
		v := c.view(t, "format=ndjson", "Accept-Encoding", "gzip")
		if v.resp.Header.Get("Content-Encoding") == "gzip" {
			compressed++
		}
	}
	assert.Greater(t, compressed, 3)
	assert.Less(t, compressed, 30)
	assert.LessOrEqual(t, answers.Used(), answers.Limit()/3)
	a := c.get("/api/v1/events?limit=100", "Accept-Encoding", "gzip")
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Empty(t, a.Header.Get("Content-Encoding"))
	c.handler.Close()
	require.Eventually(t, func() bool { return answers.Used() == 0 }, 30*time.Second, time.Millisecond, "all is given back")
}

func BenchmarkCompressedPage(b *testing.B) {
	c := newClient(b, Options{})
	fill(b, c.store, numbered(10_000)...)
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) {
			var size int
			for b.Loop() {
				size = len(c.get("/api/v1/events?limit=2000&format=ndjson", "Accept-Encoding", encoding).body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
