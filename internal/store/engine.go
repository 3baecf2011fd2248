package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/isbl/telemetry/internal/store/embedded"
	"github.com/isbl/telemetry/internal/store/remote"
)

// engine is the JetStream that keeps the blocks: one in this process, or a cluster.
type engine interface {
	Connect(name string, opts ...nats.Option) (*nats.Conn, error)
	// Health returns why it takes no events, or nil.
	Health() error
	// Writable returns why it would not take events if it were reopened, or nil.
	Writable() error
	// Reopen makes it look at its files anew.
	Reopen() error
	Close()
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

func startEngine(o *Options) (engine, error) {
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

// streamConfig is the stream that Options ask for.
func (o *Options) streamConfig() jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:        DefaultStream,
		Subjects:    []string{subject},
		Storage:     jetstream.FileStorage,
		MaxBytes:    o.MaxBytes,
		MaxAge:      o.MaxAge,
		Discard:     jetstream.DiscardOld,
		Duplicates:  duplicateWindow,
		AllowDirect: true,
	}
	if o.MaxAge > 0 {
		cfg.Duplicates = min(duplicateWindow, o.MaxAge) // or JetStream refuses it
	}
	if o.RejectNew {
		cfg.Discard = jetstream.DiscardNew
	}
	switch o.storage() {
	case storageMemory:
		cfg.Storage = jetstream.MemoryStorage
	case storageNATS:
		cfg.Name = o.NATS.Stream
		if cfg.Name != DefaultStream {
			cfg.Subjects = []string{subject + "." + cfg.Name} // no two streams share one
		}
		cfg.Replicas = o.NATS.Replicas
		cfg.Description = "Events of ISBL Telemetry, in blocks"
	}
	return cfg
}

// openStream opens the stream, creating it if need be, with the sequences that a store in
// memory has left. A stream of a cluster that exists
// already belongs to its operator: it has to fit, and is not changed.
func openStream(ctx context.Context, js jetstream.JetStream, o *Options, left *lot) (jetstream.Stream, error) {
	want := o.streamConfig()
	if left != nil {
		want.FirstSeq = left.first
	}
	if o.NATS == nil {
		return js.CreateOrUpdateStream(ctx, want)
	}
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if want.MaxBytes == 0 {
			want.MaxBytes = DefaultMaxBytesDisk
		}
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another collector was faster
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", want.Name, err)
	}
	have := stream.CachedInfo().Config
	if differences := misfits(&want, &have); len(differences) > 0 {
		return nil, fmt.Errorf("the stream %q that exists does not fit: %s", want.Name, strings.Join(differences, "; "))
	}
	return stream, nil
}

// misfits says what of a stream differs from what the store needs or was asked for.
func misfits(want, have *jetstream.StreamConfig) (differences []string) {
	differs := func(property string, is, should any) {
		differences = append(differences, fmt.Sprintf("%s is %v, but should be %v", property, is, should))
	}
	if len(have.Subjects) != 1 || have.Subjects[0] != want.Subjects[0] {
		differs("subjects", have.Subjects, want.Subjects)
	}
	if have.Storage != want.Storage {
		differs("storage", have.Storage, want.Storage)
	}
	if have.PersistMode != jetstream.DefaultPersistMode {
		differs("persist_mode", have.PersistMode, jetstream.DefaultPersistMode)
	}
	if have.Retention != jetstream.LimitsPolicy {
		differs("retention", have.Retention, jetstream.LimitsPolicy)
	}
	if have.Discard != want.Discard {
		differs("discard", have.Discard, want.Discard)
	}
	if have.MaxMsgs > 0 {
		differs("max_msgs", have.MaxMsgs, "unlimited: it counts blocks, not events")
	}
	if !have.AllowDirect {
		differs("allow_direct", false, true)
	}
	if have.Duplicates < want.Duplicates {
		differs("duplicate_window", have.Duplicates, "at least "+want.Duplicates.String())
	}
	if want.MaxBytes > 0 && have.MaxBytes != want.MaxBytes {
		differs("max_bytes", have.MaxBytes, want.MaxBytes)
	}
	if want.MaxAge > 0 && have.MaxAge != want.MaxAge {
		differs("max_age", have.MaxAge, want.MaxAge)
	}
	if want.Replicas > 0 && have.Replicas != want.Replicas {
		differs("replicas", have.Replicas, want.Replicas)
	}
	return differences
}

// streamGeneration is the identity of a stream of a cluster: one that was deleted and made
// anew is another.
func streamGeneration(info *jetstream.StreamInfo) string {
	return info.Config.Name + "@" + info.Created.UTC().Format(time.RFC3339Nano)
}

// ackWait is how long one try to store a block may take. A leader of a cluster that went
// away never answers, so there the block is tried again before the timeout is over.
func (o *Options) ackWait() time.Duration {
	if o.NATS != nil {
		return max(o.Timeout/4, time.Second)
	}
	return 2 * o.Timeout
}
