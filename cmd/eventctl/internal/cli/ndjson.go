package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
)

// gather is how long lines that come slowly wait for others.
const gather = 200 * time.Millisecond

// line is one of a file, or why there are no more.
type line struct {
	number int
	text   []byte
	err    error
}

// readLines reads lines until ctx is done; the last one has an error.
func readLines(ctx context.Context, in io.Reader, lines chan<- line) {
	reader := bufio.NewReaderSize(in, 64<<10)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if text = bytes.TrimSpace(text); len(text) > 0 {
			select {
			case lines <- line{number: number, text: text}:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			select {
			case lines <- line{err: err}:
			case <-ctx.Done():
			}
			return
		}
	}
}

// sendNDJSON sends events that are lines of JSON, as they come. Fields that may be missing are
// filled in.
func sendNDJSON(ctx context.Context, s *sender, in io.Reader, name, source string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan line, requestEvents)
	go readLines(ctx, in, lines) // a read of a terminal cannot be ended; it ends with the process
	b := &batch{sender: s, ld: plog.NewLogs()}
	for {
		var waited <-chan time.Time // never, where there is nothing to send
		if b.ld.ResourceLogs().Len() > 0 {
			waited = time.After(gather)
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), b.flush(context.WithoutCancel(ctx)))
		case <-waited:
			if err := b.flush(ctx); err != nil {
				return err
			}
		case l := <-lines:
			switch {
			case errors.Is(l.err, io.EOF):
				return b.flush(ctx)
			case l.err != nil:
				return errors.Join(l.err, b.flush(ctx))
			}
			err := b.add(ctx, l.text, source)
			if wrong := (*wrongLine)(nil); errors.As(err, &wrong) {
				s.leaveOut(name, l.number, wrong)
				err = nil
			}
			if err != nil {
				return errors.Join(fmt.Errorf("%s:%d: %w", name, l.number, err), b.flush(ctx))
			}
		}
	}
}

// wrongLine is a line that is no event.
type wrongLine struct{ error }

func (w *wrongLine) Unwrap() error { return w.error }

// batch is a request in the making.
type batch struct {
	sender *sender
	ld     plog.Logs
	bytes  int
}

// add takes one line, and sends what there is when it is enough.
func (b *batch) add(ctx context.Context, text []byte, source string) error {
	for _, line := range []string{`{"gap":`, `{"next":`} { // of a page or a stream
		if bytes.HasPrefix(text, []byte(line)) {
			return nil
		}
	}
	var e telemetry.Event
	if err := e.UnmarshalJSON(text); err != nil {
		return &wrongLine{err}
	}
	fill(&e, source)
	if err := eventlog.AppendRecord(b.ld, &e); err != nil {
		return &wrongLine{err}
	}
	if b.bytes += len(text); b.bytes < requestBytes && b.ld.ResourceLogs().Len() < requestEvents {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	events := b.ld.ResourceLogs().Len() // each event has its own
	if events == 0 {
		return nil
	}
	request, err := plogotlp.NewExportRequestFromLogs(b.ld).MarshalProto()
	if err != nil {
		return err
	}
	b.ld, b.bytes = plog.NewLogs(), 0
	return b.sender.send(ctx, request, events)
}

// fill gives an event what every event needs, where it is missing.
func fill(e *telemetry.Event, source string) {
	if e.EventID == "" {
		e.EventID = telemetry.NewEventID()
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = time.Now().UTC()
	}
	if e.Source == "" {
		e.Source = source
	}
}
