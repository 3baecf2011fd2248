package eventreceiver

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// otlpHTTP is OTLP over HTTP.
type otlpHTTP struct {
	httpServer
	otlp *otlp
	path string
}

func newOTLPHTTP(set receiver.Settings, cfg *HTTPConfig, d *door) (*otlpHTTP, error) {
	o, err := newOTLP(set, d, "http")
	if err != nil {
		return nil, err
	}
	s := &otlpHTTP{otlp: o, path: string(cfg.LogsURLPath)}
	s.httpServer = httpServer{
		key: "http", cfg: confighttp.ServerConfig(cfg.ServerConfig), guard: cfg.Guard, telemetry: set.TelemetrySettings,
		door: d, handler: s, answer: answerStatus,
		started: "Starting HTTP server", address: endpoint,
	}
	return s, nil
}

// endpoint is how the Collector's own receivers log where they listen.
func endpoint(addr net.Addr) zap.Field { return zap.String("endpoint", addr.String()) }

// ServeHTTP takes the records of a request.
func (s *otlpHTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	enc := encodingOf(r.Header)
	switch {
	case r.URL.Path != s.path && path.Clean(r.URL.Path) != s.path:
		s.refuse(w, r, newRefusal(http.StatusNotFound, codes.Unimplemented, reasonPath, "%s", s.hint(r.URL.Path)))
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, newRefusal(http.StatusMethodNotAllowed, codes.Unimplemented, reasonMethod, "%s takes POST", s.path))
		return
	case enc == nil:
		s.refuse(w, r, newRefusal(http.StatusUnsupportedMediaType, codes.InvalidArgument, reasonMediaType,
			"the Content-Type is %.100q: send %s, %s, or lines of requests as %s", r.Header.Get("Content-Type"), protobuf.mediaType, typeJSON, typeLines))
		return
	}
	r.Pattern = s.path // the name of the span
	b, err := s.read(r)
	if err != nil {
		s.refuse(w, r, s.otlp.refusalOf(err))
		return
	}
	defer s.otlp.close(b)
	resp, err := s.otlp.export(r.Context(), enc, b)
	if err != nil {
		var refused *refusal
		if errors.As(err, &refused) {
			answerStatus(w, r, refused)
			return
		}
		st := statusOf(err)
		writeStatus(w, enc, httpStatus(st.Code()), st)
		return
	}
	answer, err := enc.encode(resp)
	if err != nil {
		writeStatus(w, enc, http.StatusInternalServerError, status.New(codes.Internal, err.Error()))
		return
	}
	write(w, http.StatusOK, enc.mediaType, answer)
}

// hint says where to send what is not for this port.
func (s *otlpHTTP) hint(asked string) string {
	switch p := path.Clean(asked); {
	case p == "/v1/traces" || p == "/v1/metrics" || p == "/v1development/profiles":
		return "this receiver takes logs only, at " + s.path
	case p == eventsPath:
		return "this port takes OTLP, at " + s.path + ": " + eventsPath + " is on the port of `protocols::events`, which is 4319 by default"
	case strings.HasPrefix(p, "/api/"):
		return "this port takes OTLP, at " + s.path + ": the API is on the port of the exporter event_store, which is 4380 by default"
	}
	return "there is no " + strconv.Quote(asked[:min(len(asked), 100)]) + ": send logs to POST " + s.path
}

// encodingOf returns the encoding that the headers of a request name, nil for another.
func encodingOf(header http.Header) *encoding {
	contentType := header.Get("Content-Type")
	for range 2 {
		switch contentType {
		case protobuf.mediaType:
			return protobuf
		case typeJSON:
			return jsonText
		case typeLines:
			return jsonLines
		}
		contentType, _, _ = mime.ParseMediaType(contentType)
	}
	return nil
}

// answerStatus answers a request that is refused, in its own encoding, and in JSON where that is
// none.
func answerStatus(w http.ResponseWriter, r *http.Request, refused *refusal) {
	enc := encodingOf(r.Header)
	if enc == nil {
		enc = jsonText
	}
	writeStatus(w, enc, refused.status, refused.GRPCStatus())
}

// writeStatus writes an error as OTLP has it.
func writeStatus(w http.ResponseWriter, enc *encoding, code int, st *status.Status) {
	if wait := retryInfo(st); wait > 0 && mayTryAgain(code) {
		setRetryAfter(w.Header(), wait)
	}
	message := st.Proto()
	message.Message = strings.ToValidUTF8(message.GetMessage(), "\uFFFD") // protobuf does not encode other strings
	marshal := protojson.Marshal
	if enc == protobuf {
		marshal = proto.Marshal
	}
	answer, err := marshal(message)
	if err != nil { // a detail of a type that is not linked in has no form in JSON
		message.Details = nil
		answer, _ = marshal(message)
	}
	write(w, code, enc.mediaType, answer)
}

func write(w http.ResponseWriter, code int, mediaType string, answer []byte) {
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(answer) // the sender is gone
}
