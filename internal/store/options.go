package store

import (
	"time"

	"go.uber.org/zap"
)

// Defaults of Options.
const (
	DefaultMaxEventSize   = 512 << 10
	DefaultMaxBytesMemory = 64 << 20
	DefaultMaxBytesDisk   = 10 << 30
	DefaultTimeout        = 5 * time.Second
	MinMaxBytes           = 4 << 20
	maxBlockEvents        = 1024
	duplicateWindow       = 30 * time.Second
	maxScan               = 2 * time.Second
	streamName            = "ISBL_EVENTS"
	subject               = "isbl.events"
	trimEvery             = time.Second
	maxFetchBytes         = 4 << 20
	notifyEvery           = 2 * time.Millisecond
	cacheBytes            = 16 << 20
	maxTypes              = 256
	otherTypes            = "other"
	followBatch           = 2000
	followHeartbeat       = 500 * time.Millisecond
	maxCommitBytes        = 16 << 20
	reopenTimeout         = time.Minute
	stallAfter            = 25 * time.Millisecond
)

// Options configure a Store. The zero value is a store in memory with every default.
type Options struct {
	// Directory holds the store; empty keeps it in memory. It is created if need be.
	Directory string
	// SyncInterval is how often a store on disk is synced; zero syncs every block
	// before its events are answered.
	SyncInterval time.Duration
	// MaxBytes bounds what the store keeps; the oldest blocks go first. Zero is
	// DefaultMaxBytesMemory or DefaultMaxBytesDisk.
	MaxBytes int64
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
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
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
