package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readAll returns the messages of a stream that ends.
func readAll(t *testing.T, stream io.Reader) (all []Message) {
	t.Helper()
	err := readStream(stream, func() {}, func(m Message) error {
		all = append(all, m)
		return nil
	})
	var end *brokenOff
	require.ErrorAs(t, err, &end)
	require.Equal(t, io.EOF, end.error)
	return all
}

func TestReadStream(t *testing.T) {
	const event = `{"cursor":"c2","event_id":"1","event_type":"a","timestamp":"2026-01-02T03:04:05Z","source":"s","data":{},"metadata":{}}`
	in := "retry: 2000\nid: c1\n\nid: c2\ndata: " + event + "\n\nevent: gap\ndata: {\"reason\":\"retention\",\"blocks\":1}\n\n" +
		"event: where_errors\ndata: {\"events\":3}\n\n: heartbeat\r\nid: c3\r\n\r\nid: cut o"
	got := readAll(t, strings.NewReader(in))
	require.Len(t, got, 5)
	assert.Equal(t, Message{Cursor: "c1"}, got[0])
	assert.Equal(t, "c2", got[1].Cursor)
	assert.JSONEq(t, event, string(got[1].Event.Raw))
	assert.Equal(t, "a", got[1].Event.EventType)
	assert.Equal(t, &Gap{Reason: "retention", Blocks: 1}, got[2].Gap)
	assert.EqualValues(t, 3, got[3].WhereErrors.Events)
	assert.Equal(t, Message{Cursor: "c3"}, got[4])

	stop := errors.New("stop")
	assert.Equal(t, stop, readStream(strings.NewReader(in), func() {}, func(Message) error { return stop }))
}

// The streams of the WHATWG specification, and what it says about their lines:
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func TestServerSentEvents(t *testing.T) {
	gap := func(reason, cursor string) Message { return Message{Gap: &Gap{Reason: reason}, Cursor: cursor} }
	place := func(cursor string) Message { return Message{Cursor: cursor} }
	for name, tt := range map[string]struct {
		in   string
		want []Message
	}{
		"lines of data are joined by line feeds": {
			"event: gap\ndata: {\"reason\":\ndata: \"retention\"}\n\n", []Message{gap("retention", "")},
		},
		"ends of line": {
			"event: gap\rdata: {\"reason\": \"a\"}\r\revent: gap\r\ndata: {\"reason\": \"b\"}\r\n\r\nevent: gap\ndata: {\"reason\": \"c\"}\n\n",
			[]Message{gap("a", ""), gap("b", ""), gap("c", "")},
		},
		"byte order mark":    {"\ufeffid: 1\n\n", []Message{place("1")}},
		"only the first one": {"id: 1\n\n\ufeffid: 2\n\n", []Message{place("1")}},
		"comments":           {": a comment\n:\n:id: 1\nid: 2\n\n", []Message{place("2")}},
		"one space after the colon goes": {
			"id:1\n\nid: 2\n\nid:  3\n\n", []Message{place("1"), place("2"), place(" 3")},
		},
		"a name without a colon":         {"id: 1\n\nid\n\n", []Message{place("1"), place("")}},
		"the id stays":                   {"id: 1\n\nevent: gap\ndata: {\"reason\": \"a\"}\n\n", []Message{place("1"), gap("a", "1")}},
		"an id with NUL does not count":  {"id: 1\n\nid: 2\x003\nevent: gap\ndata: {\"reason\": \"a\"}\n\n", []Message{place("1"), gap("a", "1")}},
		"the name does not stay":         {"event: gap\ndata: {\"reason\": \"a\"}\n\nid: 1\n\n", []Message{gap("a", ""), place("1")}},
		"the last name counts":           {"event: other\nevent: gap\ndata: {\"reason\": \"a\"}\n\n", []Message{gap("a", "")}},
		"names are exact":                {"ID: 1\nid : 2\n id: 3\nids: 4\nid: 5\n\n", []Message{place("5")}},
		"a time to retry is no message":  {"retry: 10\n\nretry: soon\n\n", nil},
		"unknown names":                  {"event: add\ndata: 73857293\n\nid: 1\n\n", []Message{place(""), place("1")}},
		"message is the name by default": {"event: message\nid: 1\ndata\n\n", []Message{place("1")}},
		"blank lines":                    {"\n\n\r\n\rid: 1\n\n\n\n", []Message{place("1")}},
		"an end that is cut off":         {"id: 1\n\nid: 2\n", []Message{place("1")}},
		"nothing":                        {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, readAll(t, strings.NewReader(tt.in)))
			assert.Equal(t, tt.want, readAll(t, iotest.OneByteReader(strings.NewReader(tt.in))), "byte by byte")
		})
	}
}

// Every arrival counts as a sign of life, comments too.
func TestStreamIsHeard(t *testing.T) {
	heard := 0
	require.Error(t, readStream(iotest.OneByteReader(strings.NewReader(": hi\n")), func() { heard++ }, nil))
	assert.Equal(t, 5, heard)
}

// A message without end does not take memory without end, and is no reason to try again.
func TestStreamWithoutEnd(t *testing.T) {
	err := readStream(endless{}, func() {}, nil)
	require.ErrorContains(t, err, "more than 16 MiB")
	assert.False(t, Retryable(err))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// FuzzReadStream: whatever a server sends, reading it ends with an error, and the same messages
// come whether the bytes arrive together or one by one.
func FuzzReadStream(f *testing.F) {
	f.Add("id: c\ndata: {\"event_type\":\"a\"}\n\n")
	f.Add("event: gap\ndata: {}\n\n:\n\n")
	f.Add("\ufeffevent: gap\r\ndata: {\"reason\":\rdata: \"a\"}\r\n\r\nid: 1\x00\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		read := func(stream io.Reader) (all []Message, err error) {
			err = readStream(stream, func() {}, func(m Message) error {
				all = append(all, m)
				return nil
			})
			require.Error(t, err)
			return all, err
		}
		together, err := read(strings.NewReader(in))
		oneByOne, errs := read(iotest.OneByteReader(strings.NewReader(in)))
		require.Equal(t, together, oneByOne)
		require.Equal(t, err.Error(), errs.Error())
	})
}
