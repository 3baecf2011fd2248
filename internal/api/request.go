package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/text"
)

// maxBody is how large the body of a request may be.
const maxBody = 1 << 20

// mediaType is the Content-Type without its parameters.
func mediaType(r *http.Request) string {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t
}

// decode reads the JSON object that a request has, into what it points to. Without a body,
// nothing is read if empty is set.
func decode(r *http.Request, into any, empty bool) *problem {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case errors.Is(err, httpguard.ErrSlowBody):
		return newProblem(httpguard.ErrSlowBody.Status, "%v", err)
	case err != nil:
		return badRequest("", "the body could not be read: %v", err)
	case len(raw) > maxBody:
		return newProblem(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", maxBody)
	case len(raw) == 0 && empty:
		return nil
	case len(raw) > 0 && mediaType(r) != contentJSON: // forms of web pages cannot send it
		return newProblem(http.StatusUnsupportedMediaType, "the Content-Type of the body is %s: send JSON with the header Content-Type: %s (curl -H 'Content-Type: %[2]s')",
			text.Quote(r.Header.Get("Content-Type")), contentJSON)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err = dec.Decode(into); err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows the JSON object")
	}
	return malformed(err)
}

// malformed says what is wrong with a body, and where if the decoder knows.
func malformed(err error) *problem {
	var kind *json.UnmarshalTypeError
	field, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return badPointer(kind.Field, "%s is a %s, but must be of another kind", kind.Field, kind.Value)
	case unknown:
		return badPointer(strings.Trim(field, `"`), "there is no field %s", field)
	case errors.Is(err, io.EOF):
		return badRequest("", "the body is empty, but must be a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("", "the body is not JSON: it ends too early")
	default:
		return badRequest("", "the body: %v", err)
	}
}

// badPointer is about a field of the body, which field names with dots.
func badPointer(field, format string, args ...any) *problem {
	p := newProblem(http.StatusBadRequest, format, args...)
	p.Pointer = "/" + strings.ReplaceAll(field, ".", "/")
	return p
}

// badElement is about an element of a list in the body.
func badElement(list string, i int, err error) *problem {
	return badPointer(fmt.Sprintf("%s.%d", list, i), "%s[%d]: %v", list, i, err)
}
