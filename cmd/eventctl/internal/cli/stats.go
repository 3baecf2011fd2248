package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) statsCommand() *cobra.Command {
	var watch time.Duration
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "What came in, and what became of it",
		Example: `  eventctl stats
  eventctl stats --watch
  eventctl stats --watch=10s --json`,
		Args: noArguments,
	}
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.Flags().DurationVar(&watch, "watch", 0, "show them again and again, until Ctrl-C: how often")
	cmd.Flags().Lookup("watch").NoOptDefVal = "2s"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("watch") && watch < 100*time.Millisecond {
			return usagef("--watch is %v, but must be at least 100ms", watch)
		}
		if watch == 0 {
			return a.showStats(cmd.Context(), out, "")
		}
		before := "\n"
		if out.forPeople() && isTerminal(a.stdout) {
			before = clearScreen
		}
		return a.watchStats(cmd.Context(), watch, out, before)
	}
	return cmd
}

// clearScreen empties a terminal.
const clearScreen = "\x1b[H\x1b[2J"

// watchStats shows the statistics until ctx is done.
func (a *app) watchStats(ctx context.Context, every time.Duration, out *output, before string) error {
	retry := a.newRetry(true)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := retry.do(ctx, func() error { return a.showStats(ctx, out, before) })
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return nil
}

func (a *app) showStats(ctx context.Context, out *output, before string) error {
	s, err := a.client.Stats(ctx)
	if err != nil {
		return err
	}
	if !out.forPeople() {
		return out.document(s.Raw, "", namesTable(s))
	}
	var b strings.Builder
	if before == clearScreen {
		if _, err := io.WriteString(a.stdout, before); err != nil {
			return err
		}
	} else {
		b.WriteString(before)
	}
	a.writeStats(&b, s)
	_, err = io.WriteString(a.out, b.String()) // at once, so that it does not flicker
	return err
}

func (a *app) writeStats(w io.Writer, s *client.Stats) {
	c, st := a.style, &s.Store
	uptime := (time.Duration(s.UptimeSeconds) * time.Second).String()
	fmt.Fprintf(w, "%s  %s, up %s, %.1f events/s, %s\n\n", c.Bold(s.SourceID), cmp.Or(s.Version, "version unknown"), uptime, s.Rates.StoredPerSecond, plural(uint64(s.Viewers), "viewer"))
	fmt.Fprintf(w, "%s  %s in %s, %s", c.Bold("store, "+st.Storage), plural(st.Events, "event"), plural(st.Blocks, "block"), humanize.IBytes(st.Bytes))
	if st.Oldest != nil && st.Newest != nil {
		fmt.Fprintf(w, ", from %s to %s", c.Second(&st.Oldest.Timestamp), c.Second(&st.Newest.Timestamp))
	}
	fmt.Fprintln(w)
	a.writeStorage(w, st)
	found := []number{{"recovered", st.Recovered}, {"stored", st.Stored}}
	if st.Elsewhere > 0 {
		found = append(found, number{"elsewhere", st.Elsewhere})
	}
	a.sum(w, found, []number{{"events", st.Events}, {"evicted", st.Evicted}, {"lost", st.Lost}})
	a.sum(w, []number{{"appended", st.Appended}}, []number{
		{"stored", st.Stored}, {"duplicate", st.Duplicate}, {"refused", total(st.Refused)}, {"failed", st.Failed}, {"unknown", st.Unknown},
	})
	for _, b := range s.Buffers {
		title := b.ID
		if !b.Enabled {
			title += ", disabled"
		}
		fmt.Fprintf(w, "\n%s  %s of %s\n", c.Bold(title), plural(b.Buffered, "event"), humanize.Comma(int64(b.Capacity)))
		writeSampling(w, &b.Configuration)
		a.sum(w, []number{{"received", b.Received}}, []number{
			{"filtered", b.Filtered},
			{"sampled_out", b.SampledOut},
			{"dropped", total(b.Dropped)},
			{"failed", b.Failed},
			{"forwarded", b.Forwarded},
			{"buffered", b.Buffered},
		})
	}
	a.names(w, "event_type", s.EventTypes)
	a.names(w, "source", s.Sources)
}

type number struct {
	name string
	n    uint64
}

// sum writes an equation that always holds; what may need looking after stands out.
func (a *app) sum(w io.Writer, left, right []number) {
	side := func(numbers []number) string {
		parts := make([]string, len(numbers))
		for i, n := range numbers {
			parts[i] = n.name + " " + humanize.Comma(int64(n.n))
			switch n.name {
			case "lost", "failed", "refused", "dropped", "unknown":
				if n.n > 0 {
					parts[i] = a.style.Bad(parts[i])
				}
			}
		}
		return strings.Join(parts, " + ")
	}
	fmt.Fprintf(w, "  %s = %s\n", side(left), side(right))
}

// names writes the numbers by name, the largest first.
func (a *app) names(w io.Writer, by string, all map[string]client.NameStats) {
	if len(all) == 0 {
		return
	}
	buffered := false
	for _, s := range all {
		buffered = buffered || s.Received > 0
	}
	titles := []string{by, ">stored", ">estimated"}
	if buffered {
		titles = append(titles, ">received", ">filtered", ">sampled_out", ">dropped")
	}
	table := show.NewTable(titles...)
	for _, name := range byStored(all) {
		s := all[name]
		row := []any{name, s.Stored, whole(s.Estimated)}
		if buffered {
			row = append(row, s.Received, s.Filtered, s.SampledOut, s.Dropped)
		}
		table.Row(row...)
	}
	fmt.Fprintln(w)
	_ = table.Write(w, a.style) // into memory
}

// byStored are the names, the one that is stored most often first.
func byStored(all map[string]client.NameStats) []string {
	return slices.SortedFunc(maps.Keys(all), func(x, y string) int {
		return cmp.Or(cmp.Compare(all[y].Stored, all[x].Stored), cmp.Compare(x, y))
	})
}

// namesTable has a row for each event type and each source.
func namesTable(s *client.Stats) *show.Table {
	table := show.NewTable("by", "name", ">stored", ">estimated", ">received", ">filtered", ">sampled_out", ">dropped")
	rows := func(by string, all map[string]client.NameStats) {
		for _, name := range byStored(all) {
			n := all[name]
			table.Row(by, name, n.Stored, whole(n.Estimated), n.Received, n.Filtered, n.SampledOut, n.Dropped)
		}
	}
	rows("event_type", s.EventTypes)
	rows("source", s.Sources)
	return table
}

func total(by map[string]uint64) (sum uint64) {
	for _, n := range by {
		sum += n
	}
	return sum
}

func plural(n uint64, what string) string {
	if n != 1 {
		what += "s"
	}
	return humanize.Comma(int64(n)) + " " + what
}
