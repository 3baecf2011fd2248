package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
)

// generation names one life of the store's sequences: a cursor of another one does not
// fit. It changes while the store is open when the stream lost its end.
type generation struct {
	now atomic.Pointer[struct {
		id   string
		hash uint64
	}]
}

func (g *generation) set(id string) {
	g.now.Store(&struct {
		id   string
		hash uint64
	}{id, hashGeneration(id)})
}

func (g *generation) id() string   { return g.now.Load().id }
func (g *generation) hash() uint64 { return g.now.Load().hash }

// loadGeneration reads the store's identity, or makes one up for a new store. Where the
// file is missing or damaged, what the tail remembers serves: cursors stay valid. A store in
// memory goes on with what another one has left.
func (s *Store) loadGeneration(t *tail, left *leftover) error {
	switch s.opts.storage() {
	case storageNATS:
		info := s.log.Info()
		s.generation.set(info.Name + "@" + info.Created.UTC().Format(time.RFC3339Nano))
		return nil
	case storageMemory:
		s.generation.set(uuid.NewString())
		if left != nil {
			s.generation.set(left.generation)
		}
		return nil
	}
	path := s.path(generationFile)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the store's identity: %w", err)
	}
	if err == nil {
		if id, err := uuid.Parse(strings.TrimSpace(string(b))); err == nil {
			s.generation.set(id.String())
			return nil
		}
	}
	damaged := err == nil
	id := uuid.NewString()
	if t != nil {
		id, damaged = t.Generation, true
	}
	if damaged {
		s.opts.Logger.Warn("the file that names the store's generation is missing or damaged; it is written anew",
			zap.String("path", path), zap.Bool("cursors_stay_valid", t != nil))
	}
	return s.newGeneration(id)
}

// newGeneration gives the store another identity.
func (s *Store) newGeneration(id string) error {
	if s.opts.Directory != "" {
		if err := writeFileSync(s.path(generationFile), id+"\n"); err != nil {
			return fmt.Errorf("write the store's identity: %w", err)
		}
	}
	s.generation.set(id)
	return nil
}

func (s *Store) path(name string) string { return filepath.Join(s.opts.Directory, name) }

// writeFileSync writes a small file so that it is there whole or not at all.
func writeFileSync(path, content string) (err error) {
	temp := path + ".new" // always the same, so that a crash leaves at most one
	f, err := os.Create(temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
