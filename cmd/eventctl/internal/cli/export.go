package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) exportCommand() *cobra.Command {
	var format string
	var resume bool
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write events to a file, to the end for now",
		Long: `Write events to a file, to the end for now, or to standard output where FILE is -. The end of its name says how: .ndjson or .jsonl
is one event a line as JSON, .otlp, .pb or .binpb is OTLP (protobuf, LogsData), which loses nothing.

Beside the file, FILE.cursor says how far it has come. With --resume, export goes on there: after an interruption, or later, with
the events that came since.`,
		Example: `  eventctl export events.otlp
  eventctl export alerts.ndjson --event-type 'alert.*' --since 7d
  eventctl export events.otlp --resume`,
		Args: cobra.ExactArgs(1),
	}
	filter := a.addFilter(cmd)
	cmd.Flags().StringVar(&format, "format", "", "ndjson or otlp, where the name of the file does not say")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on where the last export to the file ended, with its filters")
	complete(cmd, "format", string(client.NDJSON), string(client.OTLP))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e := &export{app: a, name: args[0]}
		if resume {
			for _, flag := range append(filter.names, "format") {
				if cmd.Flags().Changed(flag) {
					return usagef("--%s cannot be given with --resume, which goes on with what the export began with", flag)
				}
			}
			if err := e.reopen(); err != nil {
				return err
			}
		} else {
			var err error
			if e.at.Filter, err = filter.fixed(); err != nil {
				return err
			}
			if e.at.Form, err = formOf(e.name, format); err != nil {
				return err
			}
			if err := e.create(); err != nil {
				return err
			}
		}
		return e.finish(e.run(cmd.Context()))
	}
	return cmd
}

// formOf returns the form that the flag or the name of a file says.
func formOf(name, format string) (client.Form, error) {
	switch form := client.Form(format); {
	case form == client.NDJSON, form == client.OTLP:
		return form, nil
	case format != "":
		return "", usagef("--format is %q, but must be ndjson or otlp", format)
	}
	switch filepath.Ext(name) {
	case ".ndjson", ".jsonl":
		return client.NDJSON, nil
	case ".otlp", ".pb", ".binpb":
		return client.OTLP, nil
	}
	return "", usagef("the name of %s does not say what the file holds: add --format ndjson or --format otlp", name)
}

// export is one that is under way.
type export struct {
	app  *app
	name string
	file *os.File // nil for standard output
	at   checkpoint
	bar  *bar
}

// create makes a new file.
func (e *export) create() (err error) {
	if e.name == "-" {
		return nil
	}
	e.file, err = os.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return usagef("%s is there already: go on with --resume, or choose another name", e.name)
	}
	return err
}

// reopen goes back to where an export ended: what was written after its checkpoint comes again.
func (e *export) reopen() (err error) {
	if e.name == "-" {
		return usagef("--resume needs a file")
	}
	if e.at, err = readCheckpoint(e.name); err != nil {
		return err
	}
	if e.file, err = os.OpenFile(e.name, os.O_WRONLY, 0); err != nil {
		return err
	}
	info, err := e.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < e.at.Bytes {
		return fmt.Errorf("%s has %d bytes, but had %d when its export ended: it is not the same file", e.name, info.Size(), e.at.Bytes)
	}
	if err := e.file.Truncate(e.at.Bytes); err != nil {
		return err
	}
	_, err = e.file.Seek(e.at.Bytes, io.SeekStart)
	return err
}

// run writes pages until the events end for now.
func (e *export) run(ctx context.Context) error {
	e.bar = e.app.newBar("exporting", e.expected(ctx), false)
	e.bar.add(int(e.at.Events))
	pager := e.app.newPager(client.Query{Filter: e.at.Filter, Limit: maxPage, After: e.at.Cursor})
	pager.retry.worked = e.at.Cursor != "" // a cursor that is gone now is a gap
	for {
		page, gap, err := nextPage(ctx, pager, func(ctx context.Context, q client.Query) (*client.RawPage, error) {
			return e.app.client.RawEvents(ctx, q, e.at.Form)
		})
		if err != nil {
			return err
		}
		e.app.whereErrors(page.WhereErrors)
		for _, g := range []*client.Gap{gap, page.Gap} {
			if g != nil {
				e.app.say("%s", show.Gap(g))
			}
		}
		events, err := countEvents(page.Data, e.at.Form)
		if err != nil {
			return err
		}
		if err := e.write(page, events); err != nil {
			return err
		}
		e.bar.add(events)
		pager.goOn(page.Next)
		if !page.More {
			return nil
		}
	}
}

// expected is how many events there will be, -1 where the server does not say.
func (e *export) expected(ctx context.Context) int64 {
	if e.app.barless() {
		return -1
	}
	counts, err := e.app.client.Counts(ctx, client.CountsQuery{Filter: e.at.Filter, Groups: client.Groups{By: "category"}})
	if err != nil {
		return -1
	}
	var sum uint64
	for _, b := range counts.Buckets {
		sum += b.Count
	}
	return int64(max(sum, e.at.Events))
}

// write adds a page to the file, and then notes that it is there.
func (e *export) write(page *client.RawPage, events int) error {
	e.at.Cursor = page.Next
	e.at.Bytes += int64(len(page.Data))
	e.at.Events += uint64(events)
	if e.file == nil {
		_, err := e.app.stdout.Write(page.Data)
		return err
	}
	if _, err := e.file.Write(page.Data); err != nil {
		return err
	}
	if err := e.file.Sync(); err != nil {
		return err
	}
	return e.at.save(e.name)
}

// finish closes the file, and says how far it came.
func (e *export) finish(err error) error {
	e.bar.end()
	if e.file != nil {
		err = errors.Join(err, e.file.Close())
	}
	switch {
	case err == nil:
		e.app.say("exported %s, %s", plural(e.at.Events, "event"), humanize.IBytes(uint64(e.at.Bytes)))
	case e.at.Cursor != "" && e.file != nil:
		e.app.say("exported %s so far: go on with eventctl export %s --resume", plural(e.at.Events, "event"), e.name)
	case e.file != nil: // nothing is in it
		err = errors.Join(err, os.Remove(e.name))
	}
	return err
}

func countEvents(data []byte, form client.Form) (int, error) {
	if form == client.NDJSON {
		return bytes.Count(data, []byte("\n")), nil
	}
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	if err != nil {
		return 0, fmt.Errorf("the server sent something else than OTLP: %w", err)
	}
	return ld.LogRecordCount(), nil
}
