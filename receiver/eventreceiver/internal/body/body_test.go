package body

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/budget"
)

const limit = 1 << 20

func newBody(t testing.TB, memory int64) (*Body, *budget.Budget) {
	t.Helper()
	b := budget.New(memory)
	d := new(Body)
	d.Open(b, limit)
	return d, b
}

func closed(t testing.TB, w io.WriteCloser, content []byte) {
	t.Helper()
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

// encode applies a coding.
func encode(t testing.TB, coding string, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	switch coding {
	case "gzip":
		closed(t, gzip.NewWriter(&buf), content)
	case "zlib", "deflate":
		closed(t, zlib.NewWriter(&buf), content)
	case "zstd":
		w, err := zstd.NewWriter(&buf)
		require.NoError(t, err)
		closed(t, w, content)
	case "snappy":
		return snappy.Encode(nil, content)
	case "x-snappy-framed":
		closed(t, snappy.NewBufferedWriter(&buf), content)
	case "lz4":
		closed(t, lz4.NewWriter(&buf), content)
	}
	return buf.Bytes()
}

// random returns bytes that do not compress.
func random(n int) []byte {
	content := make([]byte, n)
	seed := uint32(1)
	for i := range content {
		seed = seed*1664525 + 1013904223
		content[i] = byte(seed >> 24)
	}
	return content
}

func TestCodings(t *testing.T) {
	for _, content := range [][]byte{nil, []byte("event"), random(100_000), bytes.Repeat([]byte("event"), 200_000)} {
		for _, coding := range Codings() {
			d, b := newBody(t, 64<<20)
			for range 2 { // the second uses the buffers of the first
				d.Open(b, limit)
				require.NoError(t, d.Read(iotest.HalfReader(bytes.NewReader(encode(t, coding, content))), -1))
				require.NoError(t, d.Decode([]string{coding}), coding)
				assert.True(t, bytes.Equal(content, d.Bytes()), "%s of %d bytes", coding, len(content))
				assert.EqualValues(t, cap(d.content.bytes), b.Used(), "all buffers are counted")
				d.Close()
				assert.Zero(t, b.Used())
			}
		}
	}
	d, _ := newBody(t, 64<<20)
	require.NoError(t, d.Read(bytes.NewReader(encode(t, "gzip", encode(t, "zstd", []byte("event")))), -1))
	require.NoError(t, d.Decode([]string{"zstd", "gzip"}))
	assert.Equal(t, "event", string(d.Bytes()))
}

func TestParseCodings(t *testing.T) {
	for _, tt := range []struct {
		header []string
		want   []string
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{"identity"}, nil},
		{[]string{"GZIP"}, []string{"gzip"}},
		{[]string{"x-gzip"}, []string{"gzip"}},
		{[]string{"identity, Zstd ,gzip"}, []string{"zstd", "gzip"}},
		{[]string{"zstd", "gzip"}, []string{"zstd", "gzip"}},
	} {
		got, err := ParseCodings(tt.header, Codings())
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, "%q", tt.header)
	}
	for _, header := range []string{"br", "gzip, br", "gzip,gzip,gzip,gzip,gzip", strings.Repeat("x", 1000)} {
		_, err := ParseCodings([]string{header}, Codings())
		var unsupported *UnsupportedError
		require.ErrorAs(t, err, &unsupported)
		assert.Contains(t, err.Error(), "gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4")
		assert.Less(t, len(err.Error()), 250)
	}
	_, err := ParseCodings([]string{"zstd"}, []string{"gzip"})
	assert.ErrorContains(t, err, "coded as one of gzip")
}

func TestLimit(t *testing.T) {
	for _, size := range []int64{-1, limit} {
		d, _ := newBody(t, 64<<20)
		require.NoError(t, d.Read(bytes.NewReader(make([]byte, limit)), size))
		assert.Len(t, d.Bytes(), limit)
	}
	var tooLarge *TooLargeError
	d, b := newBody(t, 64<<20)
	require.ErrorAs(t, d.Read(bytes.NewReader(nil), limit+1), &tooLarge, "nothing is read")
	require.ErrorAs(t, d.Read(bytes.NewReader(make([]byte, limit+1)), -1), &tooLarge)
	for _, coding := range Codings() {
		d.Close()
		d.Open(b, limit)
		require.NoError(t, d.Read(bytes.NewReader(encode(t, coding, make([]byte, 4*limit))), -1))
		require.ErrorAs(t, d.Decode([]string{coding}), &tooLarge, "a bomb as %s", coding)
		assert.EqualValues(t, limit, tooLarge.Limit)
		assert.Less(t, b.Used(), int64(4*limit))
	}
}

// A body that does not fit the budget is refused before it takes memory.
func TestBudget(t *testing.T) {
	d, b := newBody(t, 4<<20)
	var others budget.Reservation
	others.Use(b)
	require.NoError(t, others.Resize(2_500_000))
	require.ErrorIs(t, d.Read(bytes.NewReader(random(700_000)), -1), budget.ErrFull)
	assert.EqualValues(t, cap(d.content.bytes), b.Used()-2_500_000)
	d.Close()
	assert.EqualValues(t, 2_500_000, b.Used())
	others.Release()

	d.Open(b, 4*limit)
	require.ErrorIs(t, d.Read(bytes.NewReader(nil), 3_500_000), budget.ErrTooLarge, "nothing is read")
	require.NoError(t, d.Read(bytes.NewReader(random(700_000)), -1))
	require.ErrorIs(t, d.Decode([]string{"lz4"}), budget.ErrTooLarge, "what a decoder takes counts")

	d, b = newBody(t, 64<<20)
	require.NoError(t, d.Read(bytes.NewReader(random(300_000)), -1))
	require.NoError(t, d.Memory.Grow(500_000))
	d.Drop()
	assert.EqualValues(t, 500_000, b.Used(), "the bytes are gone")
}

// A size that is announced takes nothing: only what arrives does.
func TestAnnouncedSize(t *testing.T) {
	d, b := newBody(t, 64<<20)
	broken := errors.New("gone")
	require.ErrorIs(t, d.Read(io.MultiReader(strings.NewReader("event"), iotest.ErrReader(broken)), limit), broken)
	assert.LessOrEqual(t, b.Used(), int64(firstBytes))
}

// A zstd frame may ask for a window of gigabytes.
func TestWindows(t *testing.T) {
	for window, taken := range map[int]bool{8 << 20: true, 64 << 20: false} {
		var buf bytes.Buffer
		w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(window))
		require.NoError(t, err)
		content := random(300_000)
		_, err = w.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		closed(t, w, content)
		d, _ := newBody(t, 64<<20)
		require.NoError(t, d.Read(&buf, -1))
		if taken {
			require.NoError(t, d.Decode([]string{"zstd"}))
			continue
		}
		require.Error(t, d.Decode([]string{"zstd"}))
		assert.Less(t, cap(d.decoded.bytes), 1<<20)
	}
}

func FuzzDecode(f *testing.F) {
	for i, coding := range Codings() {
		f.Add(encode(f, coding, []byte("event event event")), i)
	}
	b := budget.New(64 << 20)
	f.Fuzz(func(t *testing.T, content []byte, coding int) {
		d := new(Body)
		d.Open(b, 64<<10)
		require.NoError(t, d.Read(bytes.NewReader(content[:min(len(content), 64<<10)]), -1))
		if d.Decode([]string{Codings()[uint(coding)%uint(len(Codings()))]}) == nil {
			assert.LessOrEqual(t, len(d.Bytes()), 64<<10)
		}
		d.Close()
		assert.Zero(t, b.Used())
	})
}
