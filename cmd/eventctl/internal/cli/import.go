package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

func (a *app) importCommand() *cobra.Command {
	var format, source string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Send the events of a file to a receiver",
		Long: `Send the events of a file, as export writes it, to a receiver, by OTLP. FILE - is standard input.

Events keep their ids, times and data. Sent a second time they are there twice, unless the store deduplicates. What is wrong with
an event is told with its line, and ends the import.`,
		Example: `  eventctl import events.otlp
  eventctl import - --format ndjson < events.ndjson`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&format, "format", "", "ndjson or otlp, where the name of the file does not say")
	addDefaultSource(cmd, &source)
	complete(cmd, "format", string(client.NDJSON), string(client.OTLP))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		form, err := formOf(args[0], format)
		if err != nil {
			return err
		}
		if form == client.OTLP && cmd.Flags().Changed("source") {
			return usagef("--source is for NDJSON: OTLP names its sources itself")
		}
		in, size := a.in, int64(-1)
		if args[0] != "-" {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
				size = info.Size()
			}
			in = file
		}
		bar := a.newBar("importing", size, true)
		sender := a.newSender()
		in = io.TeeReader(in, bar)
		if form == client.OTLP {
			err = sendOTLP(cmd.Context(), sender, in)
		} else {
			err = sendNDJSON(cmd.Context(), sender, in, args[0], source)
		}
		bar.end()
		return sender.finish(err)
	}
	return cmd
}

func addDefaultSource(cmd *cobra.Command, source *string) {
	cmd.Flags().StringVarP(source, "source", "s", "eventctl", "source of the events that name none")
}

// sendOTLP sends what a stream of OTLP LogsData holds.
func sendOTLP(ctx context.Context, s *sender, in io.Reader) error {
	parts := newLogsReader(in)
	for {
		request, err := parts.next(requestBytes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		events, err := countEvents(request, client.OTLP)
		if err != nil {
			return parts.damaged(err)
		}
		if err := s.send(ctx, request, events); err != nil {
			return err
		}
	}
}
