package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

func (a *app) consumeCommand() *cobra.Command {
	w := &work{}
	var workers int
	cmd := &cobra.Command{
		Use:   "consume NAME --exec COMMAND",
		Short: "Run a command for each batch of a consumer",
		Long: `Run a command for each batch of a consumer, by sh -c, with the events on its standard input, one a line as JSON. A batch whose
command ends with 0 is acknowledged. One whose command ends with 75 (or 3, as eventctl itself) is given back: the command cannot do its
work now, and no event is to blame. The worker waits then, a second at first and a minute at most, and the delivery does not count. One
whose command ends with anything else is returned: it comes again after the consumer's backoff, until its max_deliver, and then its
events are dead letters. Leases are extended while a command runs.

In the command's environment EVENTCTL_CONSUMER is the consumer's name, and EVENTCTL_DELIVERIES how often the batch was handed out, this
time included. A command that is not found (126, 127) ends eventctl. Ctrl-C ends it when the commands under way
have ended; a second one ends them, and their batches are given back.`,
		Example: `  eventctl consumers create billing --event-type 'data.order_*' --from start
  eventctl consume billing --exec 'jq -r .data.order >> orders'
  eventctl consume billing --exec ./bill --workers 4 --delay 1m`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeConsumers,
	}
	flags := cmd.Flags()
	flags.StringVar(&w.command, "exec", "", "command to run (required)")
	flags.IntVar(&w.batch, "batch", 100, "highest number of events of a batch")
	flags.IntVar(&workers, "workers", 1, "how many commands run at once")
	flags.StringVar(&w.delay, "delay", "", "how long returned events wait before they come again, such as 10s (default: the consumer's backoff)")
	flags.BoolVar(&w.once, "once", false, "end when there is nothing to hand out now")
	_ = cmd.MarkFlagRequired("exec") // which is there
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case workers < 1:
			return usagef("--workers is %d, but must be at least 1", workers)
		case w.batch < 1 || w.batch > maxPage:
			return usagef("--batch is %d, but must be from 1 to %d", w.batch, maxPage)
		}
		w.consumer = args[0]
		return a.runWorkers(cmd.Context(), w, workers)
	}
	return cmd
}

// runWorkers lets workers work until ctx is done, there is nothing to do, or one of them cannot go
// on; then it waits for the others.
func (a *app) runWorkers(ctx context.Context, w *work, workers int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var hurry context.CancelFunc
	w.hurry, hurry = context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	defer context.AfterFunc(ctx, func() { // the next interrupt is the second one
		again, stop := signal.NotifyContext(w.hurry, os.Interrupt, syscall.SIGTERM)
		defer stop()
		<-again.Done()
		hurry()
	})()
	var wg sync.WaitGroup
	failures := make(chan error, workers)
	for range workers {
		own := a.newWorker(w)
		wg.Go(func() {
			if err := own.run(ctx); err != nil {
				failures <- err
				cancel()
			}
		})
	}
	wg.Wait()
	a.say("%s acknowledged, %s returned", plural(w.handled.acknowledged.Load(), "event"), plural(w.handled.returned.Load(), "event"))
	select {
	case err := <-failures:
		if client.IsProblem(err, 404) {
			a.say("eventctl consumers create %s makes the consumer", w.consumer)
		}
		return err
	default:
		return nil
	}
}
