package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/isbl/telemetry/internal/registry"
)

// ErrGone means that the directory was deleted or replaced under the running server, which goes on
// writing to files that nobody finds again.
var ErrGone = errors.New("the storage directory was deleted or replaced while the collector runs: " +
	"restart the collector, after putting back the directory if you can")

// directories are the directories that this process has open.
var directories = registry.NewSlot[struct{}]("directories")

// directoryKey is the same for all names of a directory that exists.
func directoryKey(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	return dir
}

// hold notes that this process has a directory open, until release is called.
func hold(dir string) (release func()) { return directories.Add(directoryKey(dir), struct{}{}) }

// inUse says who has the directory open.
func inUse(dir string) error {
	if len(directories.All(directoryKey(dir))) > 0 {
		return fmt.Errorf("storage directory %q is %w: give each exporter a directory of its own, or let pipelines share one exporter",
			dir, ErrInUseHere)
	}
	return fmt.Errorf("storage directory %q is %w", dir, ErrInUse)
}

// file is a file or folder as it was when the server was started.
type file struct {
	path string
	info os.FileInfo
}

// rememberFiles notes what Gone looks for. A server in memory has nothing to lose.
func (s *Server) rememberFiles() error {
	if s.temp != "" {
		return nil
	}
	dir := filepath.Dir(s.lock.Path())
	for _, path := range []string{s.lock.Path(), filepath.Join(dir, "jetstream")} {
		info, err := os.Stat(path)
		if err != nil {
			return directoryError(dir, err)
		}
		s.files = append(s.files, file{path, info})
	}
	return nil
}

// Gone returns ErrGone when the directory is not the one that was opened.
func (s *Server) Gone() error {
	for _, f := range s.files {
		info, err := os.Stat(f.path)
		switch {
		case errors.Is(err, os.ErrNotExist), err == nil && !os.SameFile(info, f.info):
			return ErrGone
		}
	}
	return nil
}
