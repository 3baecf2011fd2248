package log

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes of JetStream that have words of their own.
const (
	codeAccountLimit = 10002
	codeMemoryLimit  = 10028
	codeStorageLimit = 10047
)

// StreamError is something wrong with the stream that its operator has to change.
type StreamError struct {
	words string
	err   error
}

func (e *StreamError) Error() string {
	if e.err == nil {
		return e.words
	}
	return e.words + ": " + e.err.Error()
}

func (e *StreamError) Unwrap() error { return e.err }

// errDirectOff means that the stream's servers do not answer direct gets.
var errDirectOff error = &StreamError{words: "allow_direct of the event stream was switched off: switch it on again (nats stream edit --allow-direct), and reading goes on"}

// explained says in plain words what the client for NATS says, and what to do. All of it is over
// without a restart once the cause is gone.
func (s *stream) explained(err error) error {
	words := ""
	var refusal *jetstream.APIError
	switch refused := s.engine.Refusal(); {
	case err == nil:
		return nil
	case refused != nil && unanswered(err):
		return &StreamError{"NATS does not let the collector in", refused}
	case errors.As(err, &refusal):
		switch refusal.ErrorCode {
		case codeNoLeader:
			words = "the event stream has no leader, because too few of its servers can reach each other"
		case codeNoPeers:
			words = "too few NATS servers are there for the stream's replicas"
		case codeAccountLimit, codeMemoryLimit, codeStorageLimit:
			words = "a limit of the NATS account or server is reached: raise it, or remove other streams"
		case jetstream.JSErrCodeStreamNotFound:
			words = "the event stream was deleted: make it again, or restart a collector, which makes it"
		}
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrDisconnected):
		return errors.New("there is no connection to NATS")
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		words = "no NATS server takes what is for the event stream: it has no leader, or was deleted"
	case errors.Is(err, errNoAnswer):
		return &StreamError{"no NATS server answers for the event stream: too few of its servers can reach each other", err}
	}
	if words == "" {
		return err
	}
	if refusal != nil {
		return &StreamError{words, err}
	}
	return fmt.Errorf("%s: %w", words, err)
}
