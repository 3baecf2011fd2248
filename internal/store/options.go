package store

import (
	"time"

	"github.com/isbl/telemetry/internal/event"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// Defaults of Options.
const (
	DefaultMaxEventSize   = event.MaxBytes
	DefaultMaxBytesMemory = 64 << 20
	DefaultMaxBytesDisk   = 10 << 30
	DefaultTimeout        = 5 * time.Second
	MinMaxBytes           = 4 << 20
	maxScan               = 2 * time.Second
	DefaultStream         = log.DefaultStream
	trimEvery             = time.Second
	statsWait             = 500 * time.Millisecond
	maxFetchBytes         = 4 << 20
	maxPageBytes          = 8 << 20 // uncompressed, of the blocks that a page's events are of
	decodedBytes          = 4 << 20 // uncompressed; decoded events take several times as much
	maxNewestBytes        = 32 << 20
	reopenTimeout         = time.Minute
	minPayload            = 64 << 10 // of a NATS server
	minBlockBytes         = 32 << 10 // what a block has room for at least
)

// Options configure a Store. The zero value is a store in memory with every default.
type Options struct {
	// Directory holds the store; empty keeps it in memory. It is created if need be.
	Directory string
	// SyncInterval is how often a store on disk is synced; zero syncs every block
	// before its events are answered.
	SyncInterval time.Duration
	// Handover names a store in memory across its closing: the one that this process opens
	// next with the same name, soon, goes on with its events and cursors. Empty hands
	// nothing over.
	Handover string
	// NATS, if set, keeps the events in a NATS server or cluster that runs already,
	// instead of in this process. It excludes Directory and SyncInterval.
	NATS *remote.Options
	// MaxBytes bounds what the store keeps; the oldest blocks go first. Zero is
	// DefaultMaxBytesMemory or DefaultMaxBytesDisk. In a stream of NATS that exists
	// already, zero leaves the stream's own limit.
	MaxBytes int64
	// MaxAge bounds how long events are kept after their arrival. Zero is no bound; in
	// a stream of NATS that exists already, the stream's own.
	MaxAge time.Duration
	// MaxEvents bounds how many events are kept, to the block, and is looked after once
	// a second. Zero is no bound.
	MaxEvents uint64
	// RejectNew refuses new events while the store is full, with ErrFull, instead of
	// removing the oldest.
	RejectNew bool
	// WithoutContent keeps values and words out of the side index of a store on disk.
	WithoutContent bool
	// Deduplicate, if it has MaxEvents, stores events of one source and id once.
	Deduplicate Deduplicate
	// MaxEventSize is the highest encoded size of one event with its resource and
	// scope, in bytes, at most DefaultMaxEventSize. Zero is DefaultMaxEventSize.
	MaxEventSize int
	// Timeout bounds one commit. Zero is DefaultTimeout.
	Timeout time.Duration
	// Logger is told what goes on; nil keeps quiet.
	Logger *zap.Logger
	// OnCommit, if set, is told how long each commit took. It must return quickly.
	OnCommit func(time.Duration)
	// OnHealth, if set, is told what is wrong: an ErrReadOnly when the store stops to take
	// events, nil when it takes them again, a *DamageError for stored events that are lost.
	// It must return quickly.
	OnHealth func(error)

	// For tests: sizes of the side index, zero for its defaults, and none at all, so that nothing
	// reads in the background.
	unitEvents, groupUnits int
	withoutSideIndex       bool
}

// Deduplicate says how many events the store remembers, and for how long. Zero MaxEvents
// remembers none, zero MaxAge for any time.
type Deduplicate struct {
	MaxEvents int
	MaxAge    time.Duration
}

// newestBytes bounds the uncompressed blocks that the store keeps in memory for readers. A
// store in memory has its blocks there anyway.
func (o *Options) newestBytes() int {
	if o.storage() == storageMemory {
		return 0
	}
	return maxNewestBytes
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 && o.NATS == nil {
		o.MaxBytes = DefaultMaxBytesMemory
		if o.Directory != "" {
			o.MaxBytes = DefaultMaxBytesDisk
		}
	}
	if o.MaxEventSize == 0 {
		o.MaxEventSize = DefaultMaxEventSize
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

// Kinds of storage, as Stats name them.
const (
	storageMemory = "memory"
	storageDisk   = "disk"
	storageNATS   = "nats"
)

func (o *Options) storage() string {
	switch {
	case o.NATS != nil:
		return storageNATS
	case o.Directory != "":
		return storageDisk
	default:
		return storageMemory
	}
}
