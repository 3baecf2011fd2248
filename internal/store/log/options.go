package log

import (
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log/embedded"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

const (
	// DefaultStream is the name of the stream unless Options.NATS has another.
	DefaultStream = "ISBL_EVENTS"

	subject         = "isbl.events"
	duplicateWindow = 30 * time.Second
	// defaultMaxBytes bounds a stream that is created in a cluster.
	defaultMaxBytes = 10 << 30
	// maxFetchBlocks is how many blocks one answer has at most: the client makes room for them
	// beforehand.
	maxFetchBlocks = 1024
	// askAgain is how long to wait before a request that nobody answered is sent again.
	askAgain = 50 * time.Millisecond
	// askSoon is how long to wait before a question that has no certain answer yet is asked again.
	askSoon     = 500 * time.Millisecond
	followBatch = 2000
	// followHeartbeat is how soon following notices that the server went away.
	followHeartbeat = 500 * time.Millisecond
)

// Options say where the log is and what it keeps.
type Options struct {
	// Directory holds the log; empty keeps it in memory.
	Directory string
	// SyncInterval is how often a log on disk is synced; zero syncs before each outcome.
	SyncInterval time.Duration
	// NATS, if set, is a server or cluster that keeps the log. It excludes Directory and
	// SyncInterval.
	NATS *remote.Options
	// First is the sequence of the first block of a log in memory; zero is 1.
	First uint64
	// MaxBytes and MaxAge bound what is kept; zero is no bound, or that of a stream of NATS that
	// exists.
	MaxBytes int64
	MaxAge   time.Duration
	// RejectNew refuses blocks that do not fit MaxBytes, with ErrFull, instead of removing the
	// oldest ones.
	RejectNew bool
	// Timeout bounds one append as a whole.
	Timeout time.Duration
	Logger  *zap.Logger
}

// ackWait is how long one try to store a block may take. A leader of a cluster that went away never
// answers, so there the block is tried again before the timeout is over.
func (o *Options) ackWait() time.Duration {
	if o.NATS != nil {
		return max(o.Timeout/10, time.Second)
	}
	return 2 * o.Timeout
}

// apiPrefix is what the subjects of requests to JetStream begin with; empty is the default.
func (o *Options) apiPrefix() string {
	if o.NATS == nil {
		return ""
	}
	return strings.TrimSuffix(o.NATS.APIPrefix, ".")
}

// apiSubject is the subject of a request to JetStream.
func (o *Options) apiSubject(request string) string {
	if prefix := o.apiPrefix(); prefix != "" {
		return prefix + "." + request
	}
	return jetstream.DefaultAPIPrefix + request
}

// answers is how many answers of many blocks may be under way at once. What the server has sent and
// nobody has taken stays in its memory, and above 64 MiB it closes the connection. An embedded
// server reads a whole file of 8 MiB for each, and is no faster with more.
func (o *Options) answers() int {
	if o.NATS != nil {
		return 8
	}
	return 2
}

func (o *Options) start() (engine, error) {
	if o.NATS != nil {
		return remote.New(*o.NATS), nil
	}
	s, err := embedded.Start(embedded.Options{
		Directory: o.Directory, SyncInterval: o.SyncInterval, Logger: o.Logger.Named("nats"),
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
