package log

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// records are the Records of a stream, in a key-value bucket that is created when it is first
// written to. They are read from the leader: a replica that is behind would give away a lease
// twice.
type records struct {
	s        *stream
	bucket   string
	storage  jetstream.StorageType
	replicas int

	mu   sync.Mutex
	data jetstream.Stream // that of the bucket; nil until it is known to exist
}

// operation is the header of a record that was removed.
const operation = "KV-Operation"

// open returns the stream of the bucket; nil where it does not exist and need not.
func (r *records) open(ctx context.Context, create bool) (data jetstream.Stream, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.data != nil {
		return r.data, nil
	}
	js := r.s.reads
	err = r.s.again(ctx, r.s.reads, func(ctx context.Context) (err error) {
		data, err = js.Stream(ctx, r.stream())
		if !errors.Is(err, jetstream.ErrStreamNotFound) || !create {
			return err
		}
		_, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: r.bucket, Description: "Consumers of ISBL Telemetry", Storage: r.storage, Replicas: r.replicas,
		})
		if err != nil && !errors.Is(err, jetstream.ErrBucketExists) { // another collector was faster
			return err
		}
		data, err = js.Stream(ctx, r.stream())
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && !create:
		return nil, nil
	case err != nil:
		return nil, r.s.explained(err)
	}
	r.data = data
	return data, nil
}

// bucketOf is the bucket of a stream's records.
func bucketOf(stream string) string { return stream + "_consumers" }

func (r *records) stream() string            { return "KV_" + r.bucket }
func (r *records) subject(key string) string { return "$KV." + r.bucket + "." + key }

// writeSubject is where a record is written to. In another account or domain, buckets are below the
// prefix of JetStream.
func (r *records) writeSubject(key string) string {
	if prefix := r.s.opts.apiPrefix(); prefix != "" {
		return prefix + "." + r.subject(key)
	}
	return r.subject(key)
}

// last returns the newest message of a key, which may say that it was removed; nil for none.
func (r *records) last(ctx context.Context, key string) (*message, error) {
	data, err := r.open(ctx, false)
	if data == nil || err != nil {
		return nil, err
	}
	msg, err := r.s.leaderGet(ctx, r.stream(), map[string]any{"last_by_subj": r.subject(key)})
	return msg, r.s.explained(err)
}

func removed(msg *message) bool { return msg == nil || msg.header.Get(operation) != "" }

func (r *records) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	msg, err := r.last(ctx, key)
	switch {
	case err != nil:
		return nil, 0, err
	case removed(msg):
		return nil, 0, ErrNoRecord
	}
	return msg.Data, msg.Seq, nil
}

func (r *records) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if _, err := r.open(ctx, true); err != nil {
		return 0, err
	}
	written, err := r.write(ctx, key, value, nil, revision)
	if revision > 0 || !errors.Is(err, ErrConflict) {
		return written, err
	}
	msg, getErr := r.last(ctx, key)
	if getErr != nil || msg == nil || !removed(msg) {
		return 0, errors.Join(err, getErr)
	}
	return r.write(ctx, key, value, nil, msg.Seq) // after one that was removed
}

func (r *records) Delete(ctx context.Context, key string, revision uint64) error {
	data, err := r.open(ctx, false)
	if err != nil {
		return err
	}
	if data == nil {
		return ErrNoRecord
	}
	_, err = r.write(ctx, key, nil, nats.Header{operation: {"PURGE"}, jetstream.MsgRollup: {jetstream.MsgRollupSubject}}, revision)
	return err
}

// write writes a record if its newest message is still the one given. A write that was not answered
// is repeated; one that was stored before all the same shows by its id.
func (r *records) write(ctx context.Context, key string, value []byte, header nats.Header, revision uint64) (written uint64, err error) {
	if header == nil {
		header = nats.Header{}
	}
	id := uuid.NewString()
	header.Set(jetstream.MsgIDHeader, id)
	tries := 0
	err = r.s.again(ctx, r.s.reads, func(ctx context.Context) error {
		tries++
		ack, err := r.s.reads.PublishMsg(ctx, &nats.Msg{Subject: r.writeSubject(key), Header: header, Data: value},
			jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0))
		if err == nil {
			written = ack.Sequence
		}
		return err
	})
	if err = r.s.conflict(err); tries > 1 && errors.Is(err, ErrConflict) {
		if msg, _ := r.last(ctx, key); msg != nil && msg.header.Get(jetstream.MsgIDHeader) == id {
			return msg.Seq, nil
		}
	}
	return written, err
}

func (r *records) Keys(ctx context.Context) (keys []string, err error) {
	data, err := r.open(ctx, false)
	if data == nil || err != nil {
		return nil, err
	}
	var info *jetstream.StreamInfo
	err = r.s.again(ctx, r.s.reads, func(ctx context.Context) (err error) {
		info, err = data.Info(ctx, jetstream.WithSubjectFilter(r.subject(">")))
		return err
	})
	if err != nil {
		return nil, r.s.explained(err)
	}
	for subject := range info.State.Subjects {
		key := strings.TrimPrefix(subject, r.subject(""))
		switch _, _, err := r.Get(ctx, key); {
		case err == nil:
			keys = append(keys, key)
		case !errors.Is(err, ErrNoRecord):
			return nil, err
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// conflict translates the error of a write. Replicated streams have a code of their own for a
// record that changed.
func (s *stream) conflict(err error) error {
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) {
		switch refusal.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return ErrConflict
		}
	}
	return s.explained(err)
}
