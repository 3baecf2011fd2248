package recovery

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
)

const generationFile = "generation"

// generation names one life of the store's sequences: a cursor of another one does not fit. It
// changes while the store is open when the log lost its end.
type generation struct {
	id   string
	hash uint64
}

func (r *Recovery) set(id string) {
	sum := sha256.Sum256([]byte(id))
	r.generation.Store(&generation{id, binary.BigEndian.Uint64(sum[:])})
}

// Generation is the store's identity.
func (r *Recovery) Generation() string { return r.generation.Load().id }

// Hash stands for Generation in cursors.
func (r *Recovery) Hash() uint64 { return r.generation.Load().hash }

// loadGeneration reads the store's identity, or makes one up for a new store. Where the
// file is missing or damaged, what the tail remembers serves: cursors stay valid. A store in
// memory goes on with what another one has left.
func (r *Recovery) loadGeneration() error {
	switch {
	case r.opts.Log.Shared: // all processes that share a stream share its generation
		r.set(r.opts.Log.Name + "@" + r.opts.Log.Created.UTC().Format(time.RFC3339Nano))
		return nil
	case r.opts.Directory == "":
		r.set(cmp.Or(r.opts.Generation, uuid.NewString()))
		return nil
	}
	path := r.path(generationFile)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the store's identity: %w", err)
	}
	if err == nil {
		if id, err := uuid.Parse(strings.TrimSpace(string(b))); err == nil {
			r.set(id.String())
			return nil
		}
	}
	damaged := err == nil
	id := uuid.NewString()
	if r.found != nil {
		id, damaged = r.found.Generation, true
	}
	if damaged {
		r.opts.Logger.Warn("the file that names the store's generation is missing or damaged; it is written anew",
			zap.String("path", path), zap.Bool("cursors_stay_valid", r.found != nil))
	}
	return r.write(id)
}

// NewGeneration gives the store another identity.
func (r *Recovery) NewGeneration() error { return r.write(uuid.NewString()) }

func (r *Recovery) write(id string) error {
	if r.opts.Directory != "" {
		if err := writeFile(r.path(generationFile), id+"\n"); err != nil {
			return fmt.Errorf("write the store's identity: %w", err)
		}
	}
	r.set(id)
	return nil
}
