package recovery

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
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
	// created, setbacks and identity are those of a shared log.
	created  time.Time
	setbacks int
	identity string
}

// Setback is what all who share a log have to know of it: that it lost its end, and by what it is
// known again.
type Setback struct {
	// Created says which log it was.
	Created time.Time `json:"created"`
	// Times is how often that happened.
	Times int `json:"times"`
	// Last is the newest sequence that was left.
	Last uint64 `json:"last"`
	// Identity names the generation before the first setback; empty for the log's name and
	// Created. A log that was made anew from a backup has it in common with the one before.
	Identity string `json:"identity,omitempty"`
	Anchor   Anchor `json:"anchor,omitzero"`
}

// Anchor is a block that the log had: the newest one when it was noted.
type Anchor struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
}

func (r *Recovery) set(id string) { r.generation.Store(newGeneration(id)) }

func newGeneration(id string) *generation {
	sum := sha256.Sum256([]byte(id))
	return &generation{id: id, hash: binary.BigEndian.Uint64(sum[:])}
}

// Renew sets the generation of a shared log: its name, when it was first made, and how often it
// lost its end. So all who share it have the same.
func (r *Recovery) Renew(created time.Time, known Setback) {
	if !known.Created.Equal(created) {
		known = Setback{}
	}
	identity := cmp.Or(known.Identity, r.opts.Log.Name+"@"+created.UTC().Format(time.RFC3339Nano))
	id := identity
	if known.Times > 0 {
		id += fmt.Sprintf("#%d", known.Times)
	}
	g := newGeneration(id)
	g.created, g.setbacks, g.identity = created, known.Times, identity
	r.generation.Store(g)
}

// Created returns when the shared log of this generation was made.
func (r *Recovery) Created() time.Time { return r.generation.Load().created }

// Identity names the generation of a shared log before its first setback.
func (r *Recovery) Identity() string { return r.generation.Load().identity }

// Setbacks returns how often the shared log of this generation lost its end.
func (r *Recovery) Setbacks() int { return r.generation.Load().setbacks }

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
		r.Renew(r.opts.Log.Created, r.opts.Setback)
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
		id := strings.TrimSpace(string(b))
		if adopted.MatchString(id) || uuid.Validate(id) == nil {
			r.set(id)
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

// adopted is the generation of a store whose events were in NATS before.
var adopted = regexp.MustCompile(`^[^\s@]+@[0-9T:.-]+Z(#\d+)?$`)

// Adopt gives a store that is not shared the generation of another one with the same blocks.
func (r *Recovery) Adopt(generation string) error { return r.write(generation) }

// NewGeneration gives a store that is not shared another identity.
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
