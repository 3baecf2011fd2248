package recovery

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
)

const (
	tailFile = "tail"
	// tailOldest is for how many of the oldest blocks the tail has the number of events: those that
	// retention may take in the second between two tails.
	tailOldest = 4096
	// forgotten stands for a tail that could not be written.
	forgotten = "forgotten"
)

// tail is what the store remembers of itself outside of JetStream, to notice at the next
// start what JetStream lost. docs/format.md describes the file.
type tail struct {
	Generation string `json:"generation"`
	// First and Last are the sequences of the oldest and the newest block, ID starts the
	// id of the newest.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	ID    uint32 `json:"id"`
	// Events, Blocks and Bytes are what was kept.
	Events uint64 `json:"events"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
	// Oldest are the events of the oldest blocks, in order, 0 for one that is missing.
	Oldest []uint16 `json:"oldest"`
	// Retention is what was configured.
	Retention string `json:"retention"`
	// Closed says that the store was closed in order: nothing was stored or evicted since.
	Closed bool `json:"closed"`
}

// loadTail returns nil where there is none that can be used.
func (r *Recovery) loadTail() *tail {
	if r.opts.Directory == "" {
		return nil
	}
	b, err := os.ReadFile(r.path(tailFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	t := &tail{}
	if err == nil {
		err = json.Unmarshal(b, t)
	}
	if err == nil {
		err = uuid.Validate(t.Generation)
	}
	if err != nil {
		r.opts.Logger.Warn("what the store remembers of its end is damaged: events that went missing since the last start cannot be counted",
			zap.String("path", r.path(tailFile)), zap.Error(err))
		return nil
	}
	return t
}

// Note writes the tail when it changed. closed says that the store takes no more events.
func (r *Recovery) Note(l *ledger.Ledger, closed bool) {
	if r.opts.Directory == "" {
		return
	}
	kept, bytes := l.Extent(tailOldest)
	b, err := json.Marshal(&tail{
		Generation: r.Generation(),
		First:      kept.First, Last: kept.Last, ID: kept.ID,
		Events: kept.Events, Blocks: kept.Blocks, Bytes: bytes, Oldest: kept.Oldest,
		Retention: r.retention(), Closed: closed,
	})
	if err == nil && string(b) == r.written {
		return
	}
	if err == nil {
		err = writeFile(r.path(tailFile), string(b))
	}
	if err != nil {
		if r.written != forgotten { // once
			r.opts.Logger.Warn("the store cannot note its end; after a crash, events that went missing may not be counted", zap.Error(err))
		}
		r.written = forgotten
		return
	}
	r.written = string(b)
}

// kept returns what the blocks from first on held, and whether the tail knows.
func (t *tail) kept(first uint64) (n index.Totals, known bool) {
	n = index.Totals{Events: t.Events, Blocks: t.Blocks}
	if first <= t.First {
		return n, true
	}
	evicted := first - t.First
	if evicted > uint64(len(t.Oldest)) {
		return index.Totals{}, false
	}
	for _, events := range t.Oldest[:evicted] {
		if events > 0 {
			n.Events -= min(uint64(events), n.Events)
			n.Blocks -= min(1, n.Blocks)
		}
	}
	return n, true
}
