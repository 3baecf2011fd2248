// Package recovery finds out what a store lost while it was closed.
//
// JetStream cuts a damaged file at the first bad record, silently, and may use the lost sequences
// again. So a store on disk notes its end in a file of its own, the tail, once a second and when it
// is closed. When it is opened again, what the log has is compared with the tail: blocks and events
// that are missing, and that retention does not explain, are lost. Where the newest blocks are
// among them, cursors could name other events than before, and a new generation begins.
package recovery

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log"
)

// Options say what is recovered.
type Options struct {
	// Directory has the files; empty for a store without files.
	Directory string
	// Log is the store's log.
	Log log.Info
	// Setback is what those who share the log know of it.
	Setback Setback
	// Generation is that of a store in memory which this one goes on with; empty for a new one.
	Generation string
	// MaxBytes, MaxAge and MaxEvents are the retention that is configured. RejectNew refuses events
	// beyond it instead of removing the oldest ones.
	MaxBytes  int64
	MaxAge    time.Duration
	MaxEvents uint64
	RejectNew bool
	Logger    *zap.Logger
}

// Recovery is what a store knows of its own history. Generation and Hash are safe for concurrent
// use, the other methods are not.
type Recovery struct {
	opts       Options
	generation atomic.Pointer[generation]
	found      *tail  // as the store left it last time; nil where there is none
	written    string // the tail as it was written last
}

// Load reads what the store left last time.
func Load(opts Options) (*Recovery, error) {
	r := &Recovery{opts: opts}
	r.found = r.loadTail()
	return r, r.loadGeneration()
}

func (r *Recovery) path(name string) string { return filepath.Join(r.opts.Directory, name) }

// retention is what is configured to be kept: where it changed, the oldest blocks may have gone at
// once.
func (r *Recovery) retention() string {
	return fmt.Sprintf("max_bytes=%d max_age=%v max_events=%d", r.opts.MaxBytes, r.opts.MaxAge, r.opts.MaxEvents)
}
