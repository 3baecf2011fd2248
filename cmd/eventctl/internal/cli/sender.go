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
	wrong   int // lines that are no events
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

// maxTold is how many wrong lines are told one by one.
const maxTold = 20

// leaveOut tells of a line that is no event.
func (s *sender) leaveOut(name string, number int, why error) {
	switch s.wrong++; {
	case s.wrong <= maxTold:
		s.app.say("%s:%d: %v; the line is left out", name, number, why)
	case s.wrong == maxTold+1:
		s.app.say("there are more such lines, which are only counted")
	}
}

// finish says what was sent, and returns the error of the whole.
func (s *sender) finish(err error) error {
	s.app.say("sent %s", plural(uint64(s.sent), "event"))
	if s.wrong > 0 {
		err = errors.Join(fmt.Errorf("left out %s: no events", plural(uint64(s.wrong), "line")), err)
	}
	if err == nil && s.refused > 0 {
		err = fmt.Errorf("events were refused in %s", plural(uint64(s.refused), "request"))
	}
	return err
}
