package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrNoRoom means that the disk has too little room to go on writing.
var ErrNoRoom = errors.New("no room on the disk")

// probeBytes is the room that must be there before JetStream is opened again: some of the
// largest messages.
const probeBytes = 4 << 20

const probeFile = "probe"

// maxDoubts is how many doubtful answers in a row mean that JetStream does not work.
const maxDoubts = 3

// Health returns why JetStream does not work, or nil. After a write or a sync that failed it
// refuses all writes, without an answer to those who publish, until it is opened again.
//
// The server's own health check is about more than that. It asks whether the server is ready for
// connections and waits a millisecond for the answer, which a busy machine misses: that never
// counts here, since nobody connects over the network. Anything else that is not a write error
// counts when it was the answer maxDoubts times in a row.
func (s *Server) Health() error {
	var answer recorder
	s.ns.HandleHealthz(&answer, &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/healthz", RawQuery: "details=true"},
	})
	return s.judge(answer.body.Bytes())
}

// judge returns what an answer of the health check means for the store.
func (s *Server) judge(answer []byte) error {
	var health server.HealthStatus
	if err := json.Unmarshal(answer, &health); err != nil {
		return s.doubt(fmt.Errorf("the health check answers %q: %w", answer, err))
	}
	if len(health.Errors) == 0 {
		s.doubts.Store(0)
		return nil
	}
	var doubtful error
	for _, e := range health.Errors {
		switch {
		case e.Type == server.HealthzErrorStream && strings.Contains(e.Error, " write error: "):
			return errors.New(e.Error)
		case e.Type != server.HealthzErrorConn:
			doubtful = errors.New(e.Error)
		}
	}
	if doubtful == nil {
		return nil
	}
	return s.doubt(doubtful)
}

func (s *Server) doubt(err error) error {
	if s.doubts.Add(1) < maxDoubts {
		return nil
	}
	return err
}

// Refusal returns nil: nobody is refused.
func (s *Server) Refusal() error { return nil }

// Writable returns nil when the directory's disk takes a file of probeBytes. Free space
// alone does not tell: there are quotas, and disks that fail for other reasons.
func (s *Server) Writable() (err error) {
	if err := s.Gone(); err != nil {
		return err
	}
	dir := s.jetStream.StoreDir
	if free, err := FreeBytes(dir); err == nil && free < probeBytes {
		return ErrNoRoom // and no use in taking away the last of it
	}
	f, err := os.Create(filepath.Join(dir, probeFile))
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeBytes))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// Reopen closes JetStream and opens it again. Connections stay, consumers do not.
func (s *Server) Reopen() error {
	if err := s.ns.ShutdownJetStream(); err != nil {
		return fmt.Errorf("close JetStream: %w", err)
	}
	s.doubts.Store(0)
	return s.enableJetStream()
}

// recorder keeps an HTTP answer.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(status int)      { r.status = status }
