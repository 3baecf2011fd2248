package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/when"
)

func (a *app) emitCommand() *cobra.Command {
	var source, level, eventID, traceID, timestamp string
	var data []string
	cmd := &cobra.Command{
		Use:   "emit [EVENT_TYPE [KEY=VALUE…]]",
		Short: "Send one event, or the events on standard input",
		Long: `Send one event, whose id is printed when the receiver has it. Without EVENT_TYPE, send the events on standard input: one a line, as
JSON with the fields of an event, of which only event_type must be there. Lines are sent as they come. A line that is no event is
reported and left out; then the exit code is 1, as it is when there was nothing to send.`,
		Example: `  eventctl emit user.login --source shop user=ann attempt=2
  eventctl emit backup.done --timestamp 10m --severity warn seconds=93.5
  eventctl emit deploy.done --data '{"version": "1.4.2", "seconds": 93.5}'
  echo '{"event_type": "user.login", "data": {"user": "ann"}}' | eventctl emit`,
	}
	flags := cmd.Flags()
	addDefaultSource(cmd, &source)
	flags.StringArrayVarP(&data, "data", "d", nil, "key=value, the value as JSON or else as a string; or a whole JSON object; repeatable")
	flags.StringVar(&timestamp, "timestamp", "", "when it happened: RFC 3339, a date, seconds since 1970, or a duration back from now such as 15m; now unless given")
	flags.StringVar(&level, "severity", "", "trace, debug, info, warn, error or fatal")
	flags.StringVar(&eventID, "event-id", "", "id of the event; a new one unless given")
	flags.StringVar(&traceID, "trace-id", "", "id of the trace that it belongs to")
	complete(cmd, "severity", severity.Names...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || args[0] == "-" {
			for _, flag := range []string{"data", "severity", "event-id", "trace-id", "timestamp"} {
				if cmd.Flags().Changed(flag) {
					return usagef("--%s needs an EVENT_TYPE: the events on standard input say it themselves", flag)
				}
			}
			if isTerminal(a.in) {
				a.say("reading events from the terminal, one a line; Ctrl-D ends them")
			}
			sender := a.newSender()
			err := sendNDJSON(cmd.Context(), sender, a.in, "standard input", source)
			if err == nil && sender.sent+sender.refused+sender.wrong == 0 {
				err = errors.New("there was nothing to send: write events as lines of JSON, or an EVENT_TYPE")
			}
			return sender.finish(err)
		}
		e := telemetry.Event{EventID: eventID, EventType: args[0], Data: map[string]any{}, Metadata: map[string]any{}}
		if err := parseData(e.Data, append(data, args[1:]...)); err != nil {
			return err
		}
		if err := setTimestamp(&e, timestamp); err != nil {
			return err
		}
		if level != "" {
			number, ok := severity.Parse(level)
			if !ok {
				return usagef("--severity is %q: write %s", level, severity.Syntax)
			}
			e.Metadata["severity_number"], e.Metadata["severity"] = int64(number), strings.ToUpper(level)
		}
		if traceID != "" {
			e.Metadata["trace_id"] = traceID
		}
		fill(&e, source)
		line, err := e.MarshalJSON()
		if err != nil {
			return err
		}
		b := &batch{sender: a.newSender(), ld: plog.NewLogs()}
		if err := b.add(cmd.Context(), line, source); err != nil {
			return &usageError{err}
		}
		if err := b.flush(cmd.Context()); err != nil {
			return err
		}
		if b.sender.refused > 0 {
			return errors.New("the event was refused")
		}
		_, err = fmt.Fprintln(a.out, e.EventID)
		return err
	}
	return cmd
}

// setTimestamp sets when an event happened, unless nothing was said.
func setTimestamp(e *telemetry.Event, text string) error {
	if text == "" {
		return nil
	}
	at, ok := when.Time(text, time.Now())
	if !ok {
		return usagef("--timestamp is %q, but must be a time: %s", text, when.TimeSyntax)
	}
	e.Timestamp = at.UTC()
	return nil
}

// parseData reads values: key=value, or JSON objects.
func parseData(into map[string]any, data []string) error {
	for _, text := range data {
		if strings.HasPrefix(text, "{") {
			var e telemetry.Event
			if err := e.UnmarshalJSON([]byte(`{"data":` + text + `}`)); err != nil {
				return usagef("--data: %w", err)
			}
			for key, value := range e.Data {
				into[key] = value
			}
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return usagef("data is %q, but must be key=value or a JSON object", text)
		}
		into[key] = value
		if json.Valid([]byte(value)) {
			var e telemetry.Event
			if err := e.UnmarshalJSON([]byte(`{"data":{"v":` + value + `}}`)); err != nil {
				return usagef("--data %s: %w", key, err)
			}
			into[key] = e.Data["v"]
		}
	}
	return nil
}
