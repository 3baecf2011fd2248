package api

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/problems"
)

func (h *Handler) problemsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/problems",
		Description: "What the components of the pipelines of this store refused, and what looked wrong, counted by reason with the last examples.",
		Parameters: []parameter{
			{Name: "reason", Description: "only this reason, such as missing_field"},
			{Name: "component", Description: "only this component, such as receiver/event"},
		},
		Examples: []string{prefix + "/problems", prefix + "/problems?reason=missing_field"},
		serve:    h.serveProblems,
	}
}

func (h *Handler) serveProblems(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	all := []problems.Report{}
	if h.opts.Problems != nil {
		all = h.opts.Problems()
	}
	other := func(name, value string) bool { return values.Has(name) && values.Get(name) != value }
	all = slices.DeleteFunc(all, func(one problems.Report) bool {
		return other("reason", one.Reason) || other("component", one.Component)
	})
	httpjson.Write(w, http.StatusOK, struct {
		Problems []problems.Report `json:"problems"`
	}{all})
	return nil
}
