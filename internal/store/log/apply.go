package log

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// ErrNoStream means that there is no stream yet: the first store that is opened makes it.
var ErrNoStream = errors.New("there is no such stream yet; the first collector that starts makes it")

// Apply changes the stream of a server or cluster that exists, and the bucket of its records, to
// what opts ask for, and returns what it changed. A dry run changes nothing. Stores that have the
// stream open go on meanwhile. What a stream is made with cannot be changed: then nothing is, and
// the error says what it is. Errors: ErrNoStream.
func Apply(ctx context.Context, opts Options, dryRun bool) ([]Difference, error) {
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	s := newStream(opts)
	defer s.Close()
	var err error
	if s.engine, err = opts.start(); err != nil {
		return nil, err
	}
	if s.reads, err = s.connect(ctx, "apply"); err != nil {
		return nil, err
	}
	want := opts.streamConfig()
	have, err := s.configOf(ctx, want.Name)
	if err != nil {
		return nil, err
	}
	differences := differencesOf(&want, have)
	for _, d := range differences {
		if d.change == nil {
			return nil, misfit(want.Name, differences)
		}
	}
	bucket := (&records{bucket: bucketOf(want.Name)}).stream() // has as many copies as the stream
	records, err := s.configOf(ctx, bucket)
	switch {
	case errors.Is(err, ErrNoStream): // nobody had a consumer yet
	case err != nil:
		return nil, err
	case want.Replicas > 0 && records.Replicas != want.Replicas:
		differences = append(differences, Difference{
			bucket, "replicas", records.Replicas, want.Replicas, func(c *jetstream.StreamConfig) { c.Replicas = want.Replicas },
		})
	}
	if dryRun {
		return differences, nil
	}
	return differences, s.change(ctx, differences, have, records)
}

// configOf returns the configuration of a stream.
func (s *stream) configOf(ctx context.Context, name string) (*jetstream.StreamConfig, error) {
	var found jetstream.Stream
	err := s.again(ctx, s.reads, func(ctx context.Context) (err error) {
		found, err = s.reads.Stream(ctx, name)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("stream %q: %w", name, ErrNoStream)
	case err != nil:
		return nil, fmt.Errorf("stream %q: %w", name, s.explained(err))
	}
	return &found.CachedInfo().Config, nil
}

// change changes streams, each at once.
func (s *stream) change(ctx context.Context, differences []Difference, streams ...*jetstream.StreamConfig) error {
	for _, config := range streams {
		changed := false
		for _, d := range differences {
			if config != nil && d.Stream == config.Name {
				d.change(config)
				changed = true
			}
		}
		if !changed {
			continue
		}
		err := s.again(ctx, s.reads, func(ctx context.Context) error {
			_, err := s.reads.UpdateStream(ctx, *config)
			return err
		})
		if err != nil {
			return fmt.Errorf("change stream %q: %w", config.Name, s.explained(err))
		}
	}
	return nil
}
