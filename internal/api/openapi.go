package api

import (
	_ "embed"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed openapi.yaml
var openAPI []byte

func (h *Handler) openAPICall() call {
	const path = prefix + "/openapi.yaml"
	return call{
		Method: http.MethodGet, Path: path,
		Description: "The description of all this for programs, in OpenAPI 3.0.",
		Examples:    []string{path},
		serve: func(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
			w.Header().Set("Content-Type", "application/yaml") // RFC 9512
			w.Header().Set("Content-Length", strconv.Itoa(len(openAPI)))
			if r.Method != http.MethodHead {
				_, _ = w.Write(openAPI) // the client is gone
			}
			return nil
		},
	}
}
