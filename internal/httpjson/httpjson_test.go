package httpjson_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/httpjson"
)

func TestAnswers(t *testing.T) {
	document := map[string]string{"a": "<b>"}
	problem := struct {
		httpjson.Problem
		Reason string `json:"reason"`
	}{httpjson.NewProblem(http.StatusGone, "%q went away", "x"), "gone"}
	for name, tt := range map[string]struct {
		write             func(http.ResponseWriter)
		status            int
		contentType, body string
	}{
		"indented": {func(w http.ResponseWriter) { httpjson.Write(w, 201, document) }, 201, "application/json", "{\n  \"a\": \"<b>\"\n}\n"},
		"compact":  {func(w http.ResponseWriter) { httpjson.WriteCompact(w, 202, document) }, 202, "application/json", "{\"a\":\"<b>\"}\n"},
		"a problem with more members": {
			func(w http.ResponseWriter) { httpjson.WriteProblem(w, problem) }, 410, "application/problem+json",
			"{\n  \"type\": \"about:blank\",\n  \"title\": \"Gone\",\n  \"status\": 410,\n  \"detail\": \"\\\"x\\\" went away\",\n  \"reason\": \"gone\"\n}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.write(w)
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.contentType, w.Header().Get("Content-Type"))
			assert.Equal(t, strconv.Itoa(len(tt.body)), w.Header().Get("Content-Length"))
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			assert.Equal(t, tt.body, w.Body.String())
		})
	}
}
