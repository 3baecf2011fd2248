package eventreceiver

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// eventsPath is where events are sent to.
const eventsPath = "/v1/events"

// input says what a request is.
type input struct {
	form   form
	header http.Header
	// mapping says where the fields of the events are, nil where the body has them under their own
	// names.
	mapping *webhook.Mapping
	hook    *hook // nil for a request to eventsPath
}

// hookOf returns the webhook of a path, nil for eventsPath, or why there is nothing.
func (s *eventsServer) hookOf(path string) (*hook, *refusal) {
	if path == eventsPath {
		return nil, nil
	}
	name, isHook := strings.CutPrefix(path, webhooksPath)
	switch h := s.hooks[name]; {
	case isHook && h != nil:
		return h, nil
	case isHook:
		return nil, newRefusal(http.StatusNotFound, codes.Unimplemented, reasonPath,
			"there is no webhook %.100q: configure it below `protocols::events::webhooks`", name)
	}
	return nil, newRefusal(http.StatusNotFound, codes.Unimplemented, reasonPath,
		"there is no %.100q: send events to POST %s", path, eventsPath)
}

// route returns what a request is, or why it is refused.
func (s *eventsServer) route(w http.ResponseWriter, r *http.Request, h *hook) (in input, refused *refusal) {
	in.header, in.hook = r.Header, h
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return in, newRefusal(http.StatusMethodNotAllowed, codes.Unimplemented, reasonMethod,
			"%s takes POST: this port takes events, another one hands them out", r.URL.Path)
	}
	if in.mapping, refused = s.mapping(r, in.hook); refused != nil {
		return in, refused
	}
	if in.mapping != nil {
		in.form = mappedFormOf(r.Header)
	} else {
		in.form = formOf(r.Header)
	}
	if in.form == "" {
		return in, badMediaType(&in)
	}
	return in, nil
}

// mapping returns what the URL of a request says about its events, nil for nothing.
func (s *eventsServer) mapping(r *http.Request, h *hook) (*webhook.Mapping, *refusal) {
	query, refused := s.parameters(r)
	switch {
	case refused != nil:
		return nil, refused
	case h != nil && len(query) > 0:
		name := slices.Min(slices.Collect(maps.Keys(query)))
		return nil, badParameter(&webhook.FieldError{Name: event.Shorten(name), Detail: "has no meaning here: the configuration says what this webhook takes"})
	case h != nil:
		return &h.mapping, nil
	case len(query) == 0:
		return nil, nil
	}
	mapping, err := webhook.FromQuery(query)
	if err != nil {
		return nil, badParameter(err)
	}
	return mapping, nil
}

// parameters returns the query of a request without what the authenticator of the port reads.
func (s *eventsServer) parameters(r *http.Request) (url.Values, *refusal) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonParameter, "the query of the URL cannot be read: %v", err)
	}
	if auth := s.httpServer.cfg.Auth.Get(); auth != nil {
		for _, name := range auth.RequestParameters {
			query.Del(name)
		}
	}
	return query, nil
}

// badParameter refuses a request by an error of webhook.FromQuery.
func badParameter(err error) *refusal {
	refused := newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonParameter, "the parameter %v", err)
	var field *webhook.FieldError
	if errors.As(err, &field) {
		refused.parameter = field.Name
	}
	return refused
}

// mappedFormOf finds the form of a request whose events are not written for us: JSON under any of
// its names, text and none, which some senders use for it, and forms. It is "" for any other.
func mappedFormOf(header http.Header) form {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch mediaType {
	case "", "text/plain", "text/json":
		return formJSON
	case typeForm:
		return formFields
	}
	if strings.HasSuffix(mediaType, "+json") {
		return formJSON
	}
	return formNamed(mediaType)
}

func badMediaType(in *input) *refusal {
	detail := "send events as " + typeJSON + ", " + typeLines + ", " + typeStructured + " or " + typeBatch +
		", or a CloudEvent in binary mode with its ce- headers"
	if in.mapping != nil {
		detail = "send JSON, " + typeLines + " or " + typeForm
	}
	return newRefusal(http.StatusUnsupportedMediaType, codes.InvalidArgument, reasonMediaType,
		"the Content-Type is %.100q: %s", in.header.Get("Content-Type"), detail)
}
