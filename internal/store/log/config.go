package log

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

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
	switch {
	case o.NATS == nil && o.Directory == "":
		cfg.Storage, cfg.FirstSeq = jetstream.MemoryStorage, o.First
	case o.NATS != nil:
		cfg.Name = o.NATS.Stream
		if cfg.Name != DefaultStream {
			cfg.Subjects = []string{subject + "." + cfg.Name} // no two streams share one
		}
		cfg.Replicas = o.NATS.Replicas
		cfg.Description = "Events of ISBL Telemetry, in blocks"
	}
	return cfg
}

// openStream opens the stream, creating it if need be. A stream of a cluster that exists already
// belongs to its operator: it has to fit, and is not changed.
func openStream(ctx context.Context, js jetstream.JetStream, o *Options) (jetstream.Stream, error) {
	want := o.streamConfig()
	if o.NATS == nil {
		return js.CreateOrUpdateStream(ctx, want)
	}
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if want.MaxBytes == 0 {
			want.MaxBytes = defaultMaxBytes
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

// misfits lists what of a stream differs from what the store needs or was asked for.
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
