package cloudevent

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

// What is no CloudEvent is refused, with the place and the reason.
func TestFaults(t *testing.T) {
	with := func(members string) string {
		return `{"specversion":"1.0","id":"7","source":"/s","type":"a.b",` + members + `}`
	}
	for text, want := range map[string][2]string{
		`{"id":"7","source":"/s","type":"a.b"}`:                             {"/specversion", event.ReasonMissing},
		`{"specversion":"1.0","source":"/s","type":"a.b"}`:                  {"/id", event.ReasonMissing},
		`{"specversion":"1.0","id":"7","type":"a.b"}`:                       {"/source", event.ReasonMissing},
		`{"specversion":"1.0","id":"7","source":"/s","type":null}`:          {"/type", event.ReasonMissing},
		`{"specversion":"1.0","id":" ","source":"/s","type":"a.b"}`:         {"/id", event.ReasonValue},
		`{"specversion":"0.3","id":"7","source":"/s","type":"a.b"}`:         {"/specversion", event.ReasonValue},
		`{"specversion":1.0,"id":"7","source":"/s","type":"a.b"}`:           {"/specversion", event.ReasonKind},
		`{"specversion":"1.0","id":"7","source":":","type":"a.b"}`:          {"/source", event.ReasonValue},
		with(`"time":"yesterday"`):                                          {"/time", event.ReasonValue},
		with(`"time":"1960-01-01T00:00:00Z"`):                               {"/time", event.ReasonValue},
		with(`"subject":""`):                                                {"/subject", event.ReasonValue},
		with(`"dataschema":"/relative"`):                                    {"/dataschema", event.ReasonValue},
		with(`"datacontenttype":";"`):                                       {"/datacontenttype", event.ReasonValue},
		with(`"Upper":"x"`):                                                 {"/Upper", event.ReasonUnknown},
		with(`"a_b":"x"`):                                                   {"/a_b", event.ReasonUnknown},
		with(`"":"x"`):                                                      {"/", event.ReasonUnknown},
		with(`"ext":1.5`):                                                   {"/ext", event.ReasonKind},
		with(`"ext":{"a":1}`):                                               {"/ext", event.ReasonKind},
		with(`"ext":[1]`):                                                   {"/ext", event.ReasonKind},
		with(`"ext":2147483648`):                                            {"/ext", event.ReasonValue},
		with(`"data_base64":1`):                                             {"/data_base64", event.ReasonKind},
		with(`"data_base64":"?"`):                                           {"/data_base64", event.ReasonValue},
		with(`"data":1,"data_base64":"AA=="`):                               {"/data_base64", event.ReasonUnknown},
		with(`"datacontenttype":"text/plain","data":{"a":1}`):               {"/data", event.ReasonKind},
		with(`"data":{"a":1,"a":2}`):                                        {"/data/a", event.ReasonMalformed},
		with(`"data":{"n":99999999999999999999}`):                           {"/data/n", event.ReasonValue},
		with(`"data":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)): {"/data" + strings.Repeat("/0", 64), event.ReasonTooDeep},
		with(`"id":"8"`):                                                    {"/id", event.ReasonMalformed},
		`[]`:                                                                {"", event.ReasonKind},
		`{`:                                                                 {"", event.ReasonMalformed},
		with(`"x":"` + strings.Repeat("x", 1<<16+1) + `"`):                  {"/x", event.ReasonStringTooLong},
		`{"specversion":"1.0","id":"7","source":"/s","type":"a.b"} {"more":true}`: {"", event.ReasonMalformed},
	} {
		b := newBatch()
		_, f := newReader().Only([]byte(text), b)
		require.NotNil(t, f, text)
		assert.Equal(t, want, [2]string{f.Pointer, f.Reason}, "%s: %v", text, f)
		assert.Zero(t, b.Logs.LogRecordCount())
	}
}

func TestBinaryFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		header  [2]string
		body    string
		pointer string
		reason  string
	}{
		"content type twice": {[2]string{"Ce-Datacontenttype", "text/plain"}, "", "/datacontenttype", event.ReasonUnknown},
		"a bad name":         {[2]string{"Ce-My-Name", "x"}, "", "/my-name", event.ReasonUnknown},
		"no name":            {[2]string{"Ce-", "x"}, "", "/", event.ReasonUnknown},
		"no UTF-8":           {[2]string{"Ce-Subject", "%C0%A0"}, "", "/subject", event.ReasonMalformed},
		"no JSON":            {[2]string{"Content-Type", "application/json"}, "{", "/data", event.ReasonMalformed},
		"deep in the JSON":   {[2]string{"Content-Type", "application/json"}, `{"a":{"b":1e999}}`, "/data/a/b", event.ReasonValue},
		"a bad content type": {[2]string{"Content-Type", ";"}, "x", "/datacontenttype", event.ReasonValue},
		"too long":           {[2]string{"Content-Type", "text/plain"}, strings.Repeat("x", 1<<16+1), "/data", event.ReasonStringTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"7"}, "Ce-Source": {"/s"}, "Ce-Type": {"a.b"}}
			header[tt.header[0]] = []string{tt.header[1]}
			b := newBatch()
			_, f := newReader().Binary(header, []byte(tt.body), b)
			require.NotNil(t, f)
			assert.Equal(t, [2]string{tt.pointer, tt.reason}, [2]string{f.Pointer, f.Reason}, "%v", f)
			assert.Zero(t, b.Logs.LogRecordCount())
		})
	}
	_, f := newReader().Binary(http.Header{"Ce-Id": {"7", "8"}}, nil, newBatch())
	assert.Equal(t, "id is there 2 times", f.Error())
}

// A fault says which CloudEvent it is of, as far as that was read.
func TestFaultsAreNamed(t *testing.T) {
	_, f := newReader().Only([]byte(`{"id":"7","source":"/s","type":"a.b"}`), newBatch())
	require.NotNil(t, f)
	assert.Equal(t, "7 a.b /s", f.EventID+" "+f.EventType+" "+f.Source)
	_, f = newReader().Binary(http.Header{"Ce-Id": {"7"}, "Ce-Type": {"a.b"}, "Ce-Source": {"/s"}}, nil, newBatch())
	require.NotNil(t, f)
	assert.Equal(t, "7 a.b /s", f.EventID+" "+f.EventType+" "+f.Source)
}
