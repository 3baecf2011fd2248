package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// What the needles have, of which there are some among all events.
const (
	needles     = 10
	needleUser  = "u-123456"
	needleWord  = "quicksilver"
	needleTrace = "0af7651916cd43dd8448eb211c80319c"
	absentTrace = "0af7651916cd43dd8448eb211c80319d"
)

func needleID(n int) string { return fmt.Sprintf("needle-%d", n) }

// question is what somebody wants to find.
type question struct {
	key, name, call string
	query           url.Values
}

func findQuestions() []question {
	newest := func(name, value string) url.Values {
		return url.Values{name: {value}, "order": {"desc"}, "limit": {"50"}}
	}
	return []question{
		{"event_id", "event_id= of an event that is there", "events", newest("event_id", needleID(needles/2))},
		{"no_event_id", "event_id= of none", "events", newest("event_id", "nowhere")},
		{"trace_id", "trace_id= of ten events, spread over all", "events", newest("trace_id", needleTrace)},
		{"no_trace_id", "trace_id= of none", "events", newest("trace_id", absentTrace)},
		{"data", "data.user.id= of ten events, spread over all", "events", newest("data.user.id", needleUser)},
		{"text", "text= of a word of ten events, newest 50", "events", newest("text", needleWord)},
		{"counts_text", "counts with text= of that word", "counts", url.Values{"text": {needleWord}}},
		{"counts", "counts by type, an hour each", "counts", url.Values{"interval": {"1h"}}},
		{"where", "where on a number that no event has", "events", newest("where", `attributes["duration_ms"] < 0`)},
	}
}

// measureFind asks for few events of a big store on disk, while its files are in the page cache and
// after a restart without. Beside it are grep and jq over exported lines.
func measureFind(ctx context.Context, l *lab) (section, error) {
	p, err := l.launch(ctx, specOf("disk"), l.gogc, func(v *values) {
		v.MaxBytes = "256GiB"
		v.Sync = "10s" // filling is not what is measured
	})
	if err != nil {
		return section{}, err
	}
	var f figures
	f.add("load", "the machine, before", "load average", loadAverage())
	for n := range needles {
		if err := l.fill(ctx, p, l.findEvents/needles, eventTypes); err != nil {
			return section{}, err
		}
		if err := p.hide(ctx, n); err != nil {
			return section{}, err
		}
	}
	if err := l.awaitSideIndex(ctx, p, &f); err != nil {
		return section{}, err
	}
	for range l.rounds {
		for _, q := range findQuestions() {
			if err := l.find(ctx, p, &f, q, "warm"); err != nil {
				return section{}, err
			}
		}
	}
	for range l.rounds {
		if err := errors.Join(p.stop(), dropCache(p.values.Data)); err != nil {
			return section{}, err
		}
		start := time.Now()
		if err := p.restart(ctx); err != nil {
			return section{}, err
		}
		f.add("open", "opening the store, cold", "ms", time.Since(start).Seconds()*1000)
		for _, q := range findQuestions()[:6] {
			if err := errors.Join(dropCache(p.values.Data), l.find(ctx, p, &f, q, "cold")); err != nil {
				return section{}, err
			}
		}
	}
	err = l.grep(ctx, p, &f)
	return section{Figures: f.all}, err
}

// hide stores a needle.
func (p *peer) hide(ctx context.Context, n int) error {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	newWriter("middle").fill(r, eventTypes[n%len(eventTypes)])
	r.Attributes().PutStr("log.record.uid", needleID(n))
	r.Attributes().PutStr("user.id", needleUser)
	r.Body().SetStr("payment by " + needleWord + " declined")
	r.SetTraceID(pcommon.TraceID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c})
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		return err
	}
	one := newHTTPSender(p.http, p.path)
	defer one.Close()
	o := sendAll(ctx, []sender{one}, [][]byte{request}, 1)
	return errors.Join(o.err, ctx.Err())
}

// awaitSideIndex waits until the side index has all blocks but the newest.
func (l *lab) awaitSideIndex(ctx context.Context, p *peer, f *figures) error {
	const newest = 8
	start := time.Now()
	for {
		s, err := p.stats(ctx)
		if err != nil {
			return err
		}
		known, err := p.metric(ctx, "otelcol_exporter_event_store_index_blocks")
		if err != nil {
			return err
		}
		if int64(known) >= s.Blocks-newest {
			size, err := p.metric(ctx, "otelcol_exporter_event_store_index_bytes")
			if err != nil {
				return err
			}
			f.add("events", "the store", "events", float64(s.Events))
			f.add("share", "the side index, by the size of the blocks", "%", 100*size/float64(max(1, s.Bytes)))
			f.add("behind", "the side index, after the last event was stored", "s", time.Since(start).Seconds())
			return quiet(ctx, p.procs)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// find asks a question until all is answered, or fifty events are found.
func (l *lab) find(ctx context.Context, p *peer, f *figures, q question, how string) error {
	start := time.Now()
	if q.call == "events" {
		query := url.Values{"format": {"ndjson"}}
		for name, value := range q.query {
			query[name] = value
		}
		if _, err := p.pass(ctx, query); err != nil {
			return err
		}
	} else if _, _, err := p.skim(ctx, q.call, q.query); err != nil {
		return err
	}
	took := time.Since(start)
	l.say("%-50s %-5s %10v", q.name, how, took.Round(10*time.Microsecond))
	f.add(q.key+"_"+how, q.name+", "+how, "ms", took.Seconds()*1000)
	return quiet(ctx, p.procs)
}

// dropCache makes the system forget the files in a folder.
func dropCache(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // it went away
		}
		file, err := os.Open(path)
		if err != nil {
			return nil //nolint:nilerr // it went away
		}
		defer file.Close()
		return forget(file)
	})
}

// mostLines is how many events grep and jq look at.
const mostLines = 1_000_000

// grep searches exported lines with the programs that people use otherwise, where they are there.
func (l *lab) grep(ctx context.Context, p *peer, f *figures) error {
	name := filepath.Join(l.dir, "events.ndjson")
	lines, err := p.export(ctx, name, min(mostLines, l.findEvents))
	if err != nil {
		return err
	}
	for _, command := range [][]string{
		{"grep", "-F", needleWord, name},
		{"jq", "-c", `select(.data."user.id" == "` + needleUser + `")`, name},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			continue
		}
		start := time.Now()
		err := exec.CommandContext(ctx, command[0], command[1:]...).Run()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: nothing found
			return err
		}
		took := time.Since(start)
		l.say("%s: %v for %d lines", command[0], took.Round(time.Millisecond), lines)
		f.add(command[0], command[0]+" over exported lines, the whole store", "ms", took.Seconds()*1000*float64(l.findEvents)/float64(lines))
	}
	return nil
}

// export writes the oldest events as lines, and returns how many these are.
func (p *peer) export(ctx context.Context, name string, events int) (lines int, err error) {
	file, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	q := url.Values{"format": {"ndjson"}, "limit": {"10000"}}
	for lines < events {
		header, page, err := p.page(ctx, q)
		if err != nil {
			return 0, err
		}
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		lines += bytes.Count(page, []byte("\n"))
		if header.Get("Event-More") != strconv.FormatBool(true) {
			break
		}
		q.Set("after", header.Get("Event-Next"))
	}
	return max(1, lines), nil
}

func (p *peer) page(ctx context.Context, query url.Values) (http.Header, []byte, error) {
	answer, err := p.get(ctx, "events", query)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	return answer.Header, page, err
}
