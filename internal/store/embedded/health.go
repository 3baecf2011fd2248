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
)

// ErrNoRoom means that the disk has too little room to go on writing.
var ErrNoRoom = errors.New("no room on the disk")

// probeBytes is the room that must be there before JetStream is opened again: some of the
// largest messages.
const probeBytes = 4 << 20

const probeFile = "probe"

// Health returns why JetStream does not work, or nil. After a write or a sync that failed it
// refuses all writes, without an answer to those who publish, until it is opened again.
func (s *Server) Health() error {
	var answer recorder
	s.ns.HandleHealthz(&answer, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/healthz"}})
	if answer.status == 0 || answer.status == http.StatusOK {
		return nil
	}
	var status struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(answer.body.Bytes(), &status); err != nil || status.Error == "" {
		return fmt.Errorf("JetStream is not healthy: %s", http.StatusText(answer.status))
	}
	return errors.New(status.Error)
}

// Writable returns nil when the directory's disk takes a file of probeBytes. Free space
// alone does not tell: there are quotas, and disks that fail for other reasons.
func (s *Server) Writable() (err error) {
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
