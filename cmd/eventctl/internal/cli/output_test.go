package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/version"
)

func TestEventsInEveryForm(t *testing.T) {
	s := newSystem(t)
	ld := plog.NewLogs()
	require.NoError(t, eventlog.AppendRecord(ld, &telemetry.Event{
		EventID: "id-1", Timestamp: time.Date(2026, 7, 2, 22, 4, 5, 6e6, time.UTC), EventType: "user.login", Source: "shop",
		Data:     map[string]any{"user": map[string]any{"id": int64(1<<53 + 1)}, "note": "say \"hi\",\nthen leave", "formula": "=1+1", "n": int64(-5)},
		Metadata: map[string]any{"severity_number": int64(13)},
	}))
	require.NoError(t, s.ConsumeLogs(t.Context(), ld))
	s.store(t, 0, 2)

	r := s.run(t, "get", "-o", "json", "--limit", "2")
	require.Zero(t, r.code, r.err)
	var all []struct {
		EventID string `json:"event_id"`
		Cursor  string
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &all), r.out)
	require.Len(t, all, 2)
	assert.Equal(t, "id-1", all[0].EventID)
	assert.Equal(t, "[]\n", s.run(t, "get", "-o", "json", "--source", "nobody").out)
	assert.Equal(t, s.run(t, "get", "--json").out, s.run(t, "get", "-o", "ndjson").out)

	rows := func(args ...string) [][]string {
		t.Helper()
		r := s.run(t, args...)
		require.Zero(t, r.code, r.err)
		all, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
		require.NoError(t, err, r.out)
		return all
	}
	table := rows("get", "-o", "csv")
	assert.Equal(t, []string{"event_id", "timestamp", "event_type", "source", "data", "metadata"}, table[0])
	assert.Equal(t, []string{"id-1", "2026-07-02T22:04:05.006Z", "user.login", "shop"}, table[1][:4])
	assert.Len(t, table, 4)
	assert.Equal(t, [][]string{
		{"data.user.id", "data.note", "data.formula", "data.n", "data.none", "severity", "cursor"},
		{"9007199254740993", "say \"hi\",\nthen leave", "'=1+1", "-5", "", "WARN", all[0].Cursor},
	}, rows("get", "-o", "csv", "--limit", "1", "--columns", "data.user.id,data.note,data.formula,data.n,data.none,severity,cursor"))
	assert.Equal(t, [][]string{{"timestamp"}, {"2026-07-03T00:04:05.006+02:00"}}, rows("get", "-o", "csv", "--limit", "1", "--columns", "timestamp", "--tz", "Europe/Oslo"))
	assert.Equal(t, [][]string{{"event_id"}}, rows("get", "-o", "csv", "--columns", "event_id", "--source", "nobody"), "a head without rows")

	assert.Equal(t, "SEVERITY  EVENT_TYPE                SOURCE      DATA.N\n"+
		"WARN      user.login                shop        -5\n", s.run(t, "get", "--limit", "1", "--columns", "severity,event_type,source,data.n").out)
	assert.Regexp(t, `^2026-07-03T00:04:05\.006\+02:00  WARN   user\.login`, s.run(t, "get", "--limit", "1", "--tz", "Europe/Oslo").out)
	assert.Regexp(t, `^2026-07-02T22:04:05\.006Z  WARN   user\.login`, s.run(t, "get", "--limit", "1", "--utc").out)

	assert.Equal(t, [][]string{{"event_id"}, {"id-1"}}, rows("expect", "--count", "1", "-o", "csv", "--columns", "event_id"))
	p := start(t.Context(), s.api, "", "", "tail", "--from", "start", "-o", "csv", "--columns", "event_id,source")
	p.prints(t, "1,shop\n")
	assert.True(t, strings.HasPrefix(p.interrupt(t).out, "event_id,source\nid-1,shop\n0,shop\n"))
}

// What is not for events has rows too: those of its table in CSV, those of the server in NDJSON.
func TestTablesInEveryForm(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 3)
	require.Zero(t, s.run(t, "consumers", "create", "c", "--from", "start").code)
	for _, tt := range []struct{ line, want string }{
		{"counts -o csv", "event_type,count,estimated\ntest.numbered,3,3\n"},
		{"counts -o csv --interval 1d --tz Asia/Tokyo", "start,event_type,count,estimated\n2027-01-15T00:00:00+09:00,test.numbered,3,3\n"},
		{"counts -o ndjson", `{"count":3,"estimated":3,"event_type":"test.numbered"}` + "\n"},
		{"counts -o csv --columns count --source nobody", "count\n"},
		{"counts --columns count,event_type", "COUNT  EVENT_TYPE\n    3  test.numbered\n"},
		{"aggregate --field data.number -o csv --functions avg,max", "event_type,avg,max,weighted\ntest.numbered,1,2,\n"},
		{"aggregate --field data.none -o csv --functions avg", "event_type,avg,weighted\n"},
		{"aggregate --field data.number -o ndjson --functions max", `{"event_type":"test.numbered","max":2}` + "\n"},
		{"facets --by source -o csv", "by,value,count\nsource,shop,3\n"},
		{"facets --by source -o ndjson", `{"by":"source","values":[{"value":"shop","count":3}],"distinct":1,"other":0,"missing":0}` + "\n"},
		{"types -o csv", "event_type,count,first,last,sources\ntest.numbered,3,2027-01-15T08:00:00Z,2027-01-15T08:00:00.000000002Z,shop\n"},
		{"types --columns event_type,last --tz Asia/Tokyo", "EVENT_TYPE     LAST\ntest.numbered  2027-01-15T17:00:00+09:00\n"},
		{"types --fields -o csv --columns field,share", "field,share\nnumber,100%\n"},
		{"stats -o csv --columns by,name,stored", "by,name,stored\nevent_type,test.numbered,3\nsource,shop,3\n"},
		{"consumers list -o csv --columns name,lag,in_flight", "name,lag,in_flight\nc,3,0\n"},
		{"consumers show c --columns name,lag", "NAME  LAG\nc       3\n"},
		{"consumers dead-letters list c -o json", "[]\n"},
		{"consumers dead-letters list c -o csv --columns cursor,reason", "cursor,reason\n"},
		{"version -o csv --columns program,version", "program,version\neventctl," + quoted(version.String()) + "\nserver," + quoted(version.String()) + "\n"},
	} {
		r := s.run(t, strings.Fields(tt.line)...)
		assert.Zero(t, r.code, "%s: %s", tt.line, r.err)
		if strings.HasSuffix(tt.line, "ndjson") && assert.Equal(t, 1, strings.Count(r.out, "\n"), r.out) {
			assert.JSONEq(t, tt.want, r.out, tt.line)
			continue
		}
		assert.Equal(t, tt.want, r.out, tt.line)
	}
	var list []struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(s.run(t, "consumers", "list", "-o", "json").out), &list))
	assert.Equal(t, "c", list[0].Name)

	for line, want := range map[string]string{
		"get -o yaml":                          `--output is "yaml", but must be table, json, ndjson or csv`,
		"get --columns nonsense":               `--columns has "nonsense", but a column is event_id,`,
		"get --json --columns event_id":        "--columns is for tables and csv",
		"get --columns=":                       "--columns names no column",
		"get --tz Oslo":                        `--tz is "Oslo", but must be the name of a time zone, such as Europe/Oslo or UTC`,
		"tail -o json":                         "write -o ndjson",
		"counts --columns start":               `there is no column "start", but event_type, count, estimated`,
		"get --json -o csv":                    "were all set",
		"consumers list -o csv --columns lag,": "there is no column",
	} {
		r := s.run(t, strings.Fields(line)...)
		assert.Equal(t, 2, r.code, line)
		assert.Contains(t, r.err, want, line)
	}
}

// quoted is a field of CSV with commas in it.
func quoted(s string) string {
	if strings.Contains(s, ",") {
		return `"` + s + `"`
	}
	return s
}

func TestVersion(t *testing.T) {
	s := newSystem(t)
	r := s.run(t, "version")
	require.Zero(t, r.code, r.err)
	assert.Equal(t, 2, strings.Count(r.out, version.String()), r.out)
	var versions struct{ Eventctl, Server string }
	require.NoError(t, json.Unmarshal([]byte(s.run(t, "version", "--json").out), &versions))
	assert.Equal(t, version.String(), versions.Server)

	r = run(t, "127.0.0.1:1", "", "", "version")
	assert.Equal(t, 3, r.code)
	assert.Contains(t, r.out, version.String(), "its own version is told even so")
	assert.Contains(t, r.err, "no answer")
}
