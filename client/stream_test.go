package client

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadStream(t *testing.T) {
	const event = `{"cursor":"c2","event_id":"1","event_type":"a","timestamp":"2026-01-02T03:04:05Z","source":"s","data":{},"metadata":{}}`
	in := "retry: 2000\nid: c1\n\nid: c2\ndata: " + event + "\n\nevent: gap\ndata: {\"reason\":\"retention\",\"blocks\":1}\n\n: heartbeat\r\nid: c3\r\n\r\nid: cut o"
	var got []Message
	lines := 0
	err := readStream(strings.NewReader(in), func() { lines++ }, func(m Message) error {
		got = append(got, m)
		return nil
	})
	var end *brokenOff
	require.ErrorAs(t, err, &end)
	require.Equal(t, io.EOF, end.error)
	require.Len(t, got, 4)
	assert.Equal(t, 12, lines)
	assert.Equal(t, Message{Cursor: "c1"}, got[0])
	assert.Equal(t, "c2", got[1].Cursor)
	assert.JSONEq(t, event, string(got[1].Event.Raw))
	assert.Equal(t, "a", got[1].Event.EventType)
	assert.Equal(t, &Gap{Reason: "retention", Blocks: 1}, got[2].Gap)
	assert.Equal(t, Message{Cursor: "c3"}, got[3])

	stop := errors.New("stop")
	assert.Equal(t, stop, readStream(strings.NewReader(in), func() {}, func(Message) error { return stop }))
}

// FuzzReadStream: whatever a server sends, reading it ends, with an error.
func FuzzReadStream(f *testing.F) {
	f.Add("id: c\ndata: {\"event_type\":\"a\"}\n\n")
	f.Add("event: gap\ndata: {}\n\n:\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		require.Error(t, readStream(strings.NewReader(in), func() {}, func(Message) error { return nil }))
	})
}
