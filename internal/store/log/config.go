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
	if differences := differencesOf(&want, &have); len(differences) > 0 {
		return nil, misfit(want.Name, differences)
	}
	return stream, nil
}

// misfit says what of a stream differs, and what to do.
func misfit(stream string, differences []Difference) error {
	hint := "; `otelcol-isbl store apply` changes the stream"
	lines := make([]string, len(differences))
	for i, d := range differences {
		lines[i] = fmt.Sprintf("%s is %v, but should be %v", d.Property, d.Is, d.Should)
		if d.change == nil {
			hint = ""
		}
	}
	return fmt.Errorf("the stream %q that exists does not fit: %s%s", stream, strings.Join(lines, "; "), hint)
}

// Difference is what of a stream is not as the store needs it, or was asked for.
type Difference struct {
	Stream     string
	Property   string
	Is, Should any

	change func(*jetstream.StreamConfig) // nil for what a stream is made with
}

// differencesOf lists what of a stream differs.
func differencesOf(want, have *jetstream.StreamConfig) (differences []Difference) {
	differs := func(property string, is, should any, change func(*jetstream.StreamConfig)) {
		differences = append(differences, Difference{have.Name, property, is, should, change})
	}
	if len(have.Subjects) != 1 || have.Subjects[0] != want.Subjects[0] {
		differs("subjects", have.Subjects, want.Subjects, nil)
	}
	if have.Storage != want.Storage {
		differs("storage", have.Storage, want.Storage, nil)
	}
	if have.PersistMode != jetstream.DefaultPersistMode {
		differs("persist_mode", have.PersistMode, jetstream.DefaultPersistMode, nil)
	}
	if have.Retention != jetstream.LimitsPolicy {
		differs("retention", have.Retention, jetstream.LimitsPolicy, nil)
	}
	if have.Discard != want.Discard {
		differs("discard", have.Discard, want.Discard, func(c *jetstream.StreamConfig) { c.Discard = want.Discard })
	}
	if have.MaxMsgs > 0 {
		differs("max_msgs", have.MaxMsgs, "unlimited: it counts blocks, not events", func(c *jetstream.StreamConfig) { c.MaxMsgs = -1 })
	}
	if !have.AllowDirect {
		differs("allow_direct", false, true, func(c *jetstream.StreamConfig) { c.AllowDirect = true })
	}
	if want.MaxBytes > 0 && have.MaxBytes != want.MaxBytes {
		differs("max_bytes", have.MaxBytes, want.MaxBytes, func(c *jetstream.StreamConfig) { c.MaxBytes = want.MaxBytes })
	}
	if want.MaxAge > 0 && have.MaxAge != want.MaxAge {
		differs("max_age", have.MaxAge, want.MaxAge, func(c *jetstream.StreamConfig) { c.MaxAge = want.MaxAge })
	}
	if have.Duplicates < want.Duplicates {
		differs("duplicate_window", have.Duplicates, "at least "+want.Duplicates.String(), func(c *jetstream.StreamConfig) { c.Duplicates = want.Duplicates })
	}
	if want.Replicas > 0 && have.Replicas != want.Replicas {
		differs("replicas", have.Replicas, want.Replicas, func(c *jetstream.StreamConfig) { c.Replicas = want.Replicas })
	}
	return differences
}
