package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// allKinds are events with all kinds of values, of which some were sampled.
func allKinds(t *testing.T) plog.Logs {
	t.Helper()
	ld := plog.NewLogs()
	e := numbered(1)
	e.Data = map[string]any{
		"int": int64(1), "float": 1.0, "text": "ä\n", "yes": true, "none": nil, "list": []any{int64(1), "a", map[string]any{"b": 2.5}},
		"map": map[string]any{"a": map[string]any{"b": int64(1)}},
	}
	e.Metadata = map[string]any{
		"observed_timestamp": "2027-01-15T08:00:00Z",
		"severity":           "WARN", "severity_number": int64(13), "trace_id": "0b7e8b8760c073c1f9d0dc20ac5bf445", "own": "x",
		"resource": map[string]any{"attributes": map[string]any{"host.name": "h"}}, "sampling": map[string]any{"threshold": "8"},
	}
	require.NoError(t, eventlog.AppendRecord(ld, e))
	require.NoError(t, eventlog.AppendRecord(ld, numbered(2)))
	return ld
}

// What was exported and imported elsewhere is the same there, in both forms, and exported again it
// is the same bytes.
func TestExportAndImport(t *testing.T) {
	from := newSystem(t)
	require.NoError(t, from.ConsumeLogs(t.Context(), allKinds(t)))
	from.store(t, 3, 2600)
	want := events(t, from.run(t, "get", "--all", "--json").out)
	require.Len(t, want, 2599)
	for _, name := range []string{"events.otlp", "events.ndjson"} {
		t.Run(name, func(t *testing.T) {
			to := newSystem(t)
			file := filepath.Join(t.TempDir(), name)
			r := from.run(t, "export", file)
			require.Zero(t, r.code, r.err)
			assert.Contains(t, r.err, "exported 2,599 events")
			r = to.run(t, "import", file)
			require.Zero(t, r.code, r.err)
			assert.Contains(t, r.err, "sent 2,599 events")
			assert.Equal(t, want, events(t, to.run(t, "get", "--all", "--json").out))

			// Through pipes, and with a filter.
			format := strings.TrimPrefix(filepath.Ext(name), ".")
			r = from.run(t, "export", "-", "--format", format, "--event-type", "*.numbered", "--source", "shop")
			require.Zero(t, r.code, r.err)
			another := newSystem(t)
			in := run(t, "", another.otlp, r.out, "import", "-", "--format", format)
			require.Zero(t, in.code, in.err)
			assert.Equal(t, want, events(t, another.run(t, "get", "--all", "--json").out))
		})
	}
}

// An export that was ended in the middle goes on there, and one that was finished with what came
// since.
func TestExportResumes(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 12_000) // two pages
	for _, name := range []string{"events.otlp", "events.ndjson"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name)
			g := newGate(t, s.api)
			g.allow(1)
			p := start(t.Context(), g.url, "", "", "export", file, "--since", "7d", "--source", "shop")
			p.prints(t, "trying again")
			r := p.interrupt(t)
			assert.Equal(t, 130, r.code, r.err)
			assert.Contains(t, r.err, "go on with eventctl export "+file+" --resume")
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString("half a page") // that was being written when the machine went down
			require.NoError(t, err)
			require.NoError(t, f.Close())

			assert.Equal(t, 2, s.run(t, "export", file).code, "nothing is overwritten")
			assert.Equal(t, 2, s.run(t, "export", file, "--resume", "--since", "8d").code)
			r = s.run(t, "export", file, "--resume")
			require.Zero(t, r.code, r.err)
			s.store(t, 0, 10)
			require.Zero(t, run(t, s.api, s.otlp, "", "emit", "other.thing", "--source", "other").code)
			r = s.run(t, "export", file, "--resume")
			require.Zero(t, r.code, r.err)

			want := s.run(t, "get", "--all", "--json", "--source", "shop")
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			if strings.HasSuffix(name, ".ndjson") {
				assert.Equal(t, want.out, string(got))
				return
			}
			ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(got)
			require.NoError(t, err)
			var all []string
			for ref := range eventlog.All(ld) {
				all = append(all, ref.EventID())
			}
			assert.Equal(t, ids(t, want.out), all)

			require.NoError(t, os.Truncate(file, 10))
			r = s.run(t, "export", file, "--resume")
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.err, "not the same file")
		})
	}
}

func TestEmit(t *testing.T) {
	s := newSystem(t)
	r := s.run(t, "emit", "user.login", "--source", "shop", "--severity", "warn", "--trace-id", "0b7e8b8760c073c1f9d0dc20ac5bf445",
		"-d", "user=ann", "-d", "attempt=2", "-d", `zip="0123"`, "-d", "share=2.0", "-d", `{"a": {"b": [1, null]}}`)
	require.Zero(t, r.code, r.err)
	got := events(t, s.run(t, "get", "--json").out)[0]
	assert.Equal(t, strings.TrimSpace(r.out), got["event_id"])
	assert.Equal(t, "shop", got["source"])
	assert.Equal(t, map[string]any{
		"user": "ann", "attempt": 2.0, "zip": "0123", "share": 2.0, "a": map[string]any{"b": []any{1.0, nil}},
	}, got["data"])
	metadata := got["metadata"].(map[string]any)
	assert.Equal(t, "WARN", metadata["severity"])
	assert.Equal(t, "0b7e8b8760c073c1f9d0dc20ac5bf445", metadata["trace_id"])

	in := `{"event_type": "line.one"}

{"gap": {"reason": "retention"}}
{"cursor": "x", "event_type": "line.two", "event_id": "two", "source": "own", "timestamp": "2026-01-02T03:04:05Z"}`
	r = run(t, s.api, s.otlp, in, "emit", "--source", "lines")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "sent 2 events")
	lines := events(t, s.run(t, "get", "--json", "--event-type", "line.*").out)
	assert.Equal(t, "lines", lines[0]["source"])
	assert.Equal(t, "two", lines[1]["event_id"])
	assert.Equal(t, "2026-01-02T03:04:05Z", lines[1]["timestamp"])

	// What is wrong is named with its line, and what came before it is sent.
	r = run(t, s.api, s.otlp, `{"event_type": "good.one"}`+"\n"+`{"event_type": "bad.one", "data": 5}`+"\n{\n"+`{"event_type": "good.two"}`, "emit")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "standard input:2: event: data must be an object, not number; the line is left out")
	assert.Contains(t, r.err, "standard input:3: ")
	assert.Contains(t, r.err, "sent 2 events\neventctl: left out 2 lines: no events")
	assert.Equal(t, []string{"good.one", "good.two"}, types(t, s.run(t, "get", "--event-type", "good.*", "--json").out))
	r = run(t, s.api, s.otlp, strings.Repeat("x\n", 50), "emit")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, 20, strings.Count(r.err, "the line is left out"))
	assert.Contains(t, r.err, "there are more such lines")
	r = run(t, s.api, s.otlp, "\n", "emit")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "there was nothing to send")
	r = run(t, s.api, s.otlp, `{"data": {}}`, "emit")
	assert.Contains(t, r.err, "standard input:1: event_type must not be empty")

	// The receiver's word about an event that it does not take.
	r = s.run(t, "emit", "large.one", "--data", "x="+strings.Repeat("x", 600<<10))
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "too_large")
	r = run(t, "", s.otlp, `{"event_type": "a.b"}`+"\n"+`{"event_type":"a.c","data":{"x":"`+strings.Repeat("x", 600<<10)+`"}}`, "emit")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "too_large")
	assert.Contains(t, s.run(t, "get", "--event-type", "a.*").out, "a.b")
	assert.Equal(t, 3, run(t, "", "127.0.0.1:1", "", "emit", "x").code)
}

func TestEmitArguments(t *testing.T) {
	s := newSystem(t)
	r := s.run(t, "emit", "backup.done", "user=ann", "seconds=93.5", "--severity", "warn", "--timestamp", "2026-01-02T03:04:05Z", "--data", "zip=1")
	require.Zero(t, r.code, r.err)
	got := events(t, s.run(t, "get", "--json").out)[0]
	assert.Equal(t, map[string]any{"user": "ann", "seconds": 93.5, "zip": 1.0}, got["data"])
	assert.Equal(t, "2026-01-02T03:04:05Z", got["timestamp"])
	before := time.Now().Add(-time.Hour)
	require.Zero(t, s.run(t, "emit", "backup.done", "--timestamp", "1h", "--event-id", "hour").code)
	got = events(t, s.run(t, "get", "--json", "--event-id", "hour").out)[0]
	at, err := time.Parse(time.RFC3339Nano, got["timestamp"].(string))
	require.NoError(t, err)
	assert.WithinRange(t, at, before, time.Now().Add(-time.Hour))
	for want, args := range map[string][]string{
		`--timestamp is "soon", but must be a time: RFC 3339`: {"emit", "a", "--timestamp", "soon"},
		`data is "user", but must be key=value`:               {"emit", "a", "user"},
		"--timestamp needs an EVENT_TYPE":                     {"emit", "--timestamp", "1h"},
	} {
		r = s.run(t, args...)
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, want)
	}
}

func TestImportDamaged(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 100)
	whole := s.run(t, "export", "-", "--format", "otlp").out
	for name, file := range map[string]string{
		"cut off": whole[:len(whole)-1], "not OTLP": "{}", "garbage behind": whole + "\xff", "no lengths": "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, "", s.otlp, file, "import", "-", "--format", "otlp")
			assert.Equal(t, 1, r.code, r.err)
			assert.Contains(t, r.err, "damaged or no OTLP, at about byte")
		})
	}
	r := run(t, "", s.otlp, "", "import", "-", "--format", "otlp")
	assert.Zero(t, r.code)
	assert.Contains(t, r.err, "sent 0 events")
}
