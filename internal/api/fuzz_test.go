package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever the query says, the answer is a page or names what is wrong with it.
func FuzzQuery(f *testing.F) {
	st := openStore(f)
	fill(f, st, numbered(50)...)
	h := New(Options{Store: st})
	f.Cleanup(h.Close)
	for _, query := range []string{
		"", "limit=5&order=desc", "event_type=user.*,metric.*&source=shop", "since=15m&until=0s", "from=now", "from=start&order=desc",
		"limit=all&format=ndjson", "wait=1ms&from=now", "after=" + st.End().String(), "from=" + st.Start().String(), "from=2026-01-02T03:04:05+02:00",
		"after=AQ", "limit=-1", "limt=1", "%zz", "a;b", "since=9999999999999d", "until=292277026596-12-04T15:30:07Z", "format=json&format=json",
	} {
		f.Add(query, "application/json")
	}
	f.Add("", "application/x-ndjson;q=0.5, */*;q=nan")
	f.Fuzz(func(t *testing.T, query, accept string) {
		if strings.Contains(query, "wait") {
			if v, err := url.ParseQuery(query); err == nil && v.Get("wait") != "1ms" {
				t.Skip("it may wait")
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/api/v1/events", nil)
		r.URL.RawQuery = query
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusOK && w.Header().Get("Content-Type") == contentJSON:
			var p seenPage
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Next == "" {
				t.Fatalf("not a page: %v\n%s", err, w.Body)
			}
		case w.Code == http.StatusOK:
		case w.Code == http.StatusBadRequest, w.Code == http.StatusNotAcceptable, w.Code == http.StatusGone:
			var p problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail == "" {
				t.Fatalf("not a problem: %v\n%s", err, w.Body)
			}
		default:
			t.Fatalf("status %d\n%s", w.Code, w.Body)
		}
	})
}
