package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one group of measurements, with a section of the report and a file of raw figures of its
// own.
type part struct {
	name, title string
	measure     func(ctx context.Context, l *lab) (section, error)
}

var parts = []part{
	{"loads", "Writing, beside the others", measureLoads},
	{"fsync", "A synced answer, beside the disk's own sync", measureSync},
	{"pages", "Reading pages", measurePages},
	{"filters", "Filters and aggregates", measureFilters},
	{"streams", "Streams", measureStreams},
	{"latency", "From sent to seen", measureLatency},
	{"footprint", "Bytes per event", measureFootprint},
	{"open", "Opening", measureOpen},
	{"find", "Finding", measureFind},
}

// run measures the parts that are wanted, writes their raw figures, and reports on all that were
// ever measured. What was measured before an error is kept.
func run(ctx context.Context, args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if err := o.checkBinaries(); err != nil {
		return err
	}
	where, err := describeMachine(o)
	if err != nil {
		return err
	}
	measured := map[string]section{}
	if !o.printOnly {
		if measured, err = readSections(o.results); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if !o.wants(p.name) {
			continue
		}
		s, err := inLab(ctx, o, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		s.Part, s.Machine, s.Command, s.Settings = p.name, where, command(args), o.settings()
		measured[p.name] = s
		if o.printOnly {
			continue
		}
		if err := writeSection(o.results, s); err != nil {
			return err
		}
		if err := writeReport(o, measured); err != nil {
			return err
		}
	}
	if !o.printOnly {
		return writeReport(o, measured)
	}
	_, results, err := report(measured)
	fmt.Print(results)
	return err
}

// writeReport replaces both pages by what was measured.
func writeReport(o options, measured map[string]section) error {
	summary, results, err := report(measured)
	if err != nil {
		return err
	}
	return errors.Join(
		os.MkdirAll(o.results, 0o755),
		os.WriteFile(o.doc, []byte(summary), 0o644),
		os.WriteFile(filepath.Join(o.results, "README.md"), []byte(results), 0o644))
}

// command is how to measure the same again.
func command(args []string) string {
	if len(args) == 0 {
		return "make bench-peers"
	}
	for i, arg := range args {
		if strings.ContainsAny(arg, " *?$<>&;") {
			args[i] = strconv.Quote(arg)
		}
	}
	return "make bench-peers ARGS='" + strings.Join(args, " ") + "'"
}

// inLab measures one part with a laboratory of its own, which is gone afterwards.
func inLab(ctx context.Context, o options, p part) (s section, err error) {
	l, err := newLab(o)
	if err != nil {
		return section{}, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	started := time.Now()
	l.say("%s", p.title)
	s, err = p.measure(ctx, l)
	s.Measured, s.Took = started.UTC().Truncate(time.Second), time.Since(started).Round(time.Second).String()
	return s, err
}
