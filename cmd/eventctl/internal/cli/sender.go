package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/isbl/telemetry/client"
)

const (
	// requestBytes and requestEvents bound a request: the event receiver takes 4 MiB at most.
	requestBytes  = 2 << 20
	requestEvents = 1000
)

// sender posts OTLP requests, tries again where that may help, and counts.
type sender struct {
	app     *app
	retry   *retry
	sent    int // events that were taken
	refused int // requests of which events were refused
}

func (a *app) newSender() *sender { return &sender{app: a, retry: a.newRetry(false)} }

// send posts a request with some events. One bad event of many is told, and the rest goes on.
func (s *sender) send(ctx context.Context, request []byte, events int) error {
	var rejected *client.Rejected
	err := s.retry.do(ctx, func() (err error) {
		rejected, err = s.app.client.Send(ctx, request)
		return err
	})
	var problem *client.Problem
	switch {
	case err == nil && rejected == nil:
		s.sent += events
	case err == nil:
		s.sent += max(0, events-int(rejected.Records))
		s.refused++
		s.app.say("%d events were refused: %s", rejected.Records, rejected.Message)
	case events > 1 && errors.As(err, &problem) && problem.Status == http.StatusBadRequest:
		s.refused++
		s.app.say("a request of %d events was refused in part: %s", events, problem.Detail)
	default:
		return err
	}
	return nil
}

// finish says what was sent, and returns the error of the whole.
func (s *sender) finish(err error) error {
	s.app.say("sent %s", plural(uint64(s.sent), "event"))
	if err == nil && s.refused > 0 {
		err = fmt.Errorf("events were refused in %s", plural(uint64(s.refused), "request"))
	}
	return err
}
