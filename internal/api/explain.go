package api

import "github.com/isbl/telemetry/internal/store"

func explainParameter() parameter {
	return parameter{Name: "explain", Description: "1: the answer says what it took: blocks left out and opened, bytes read, time by step. In formats without room for it, the header Event-Explain does"}
}

// work reads the parameter explain. It returns nil where the answer need not tell what it took.
func (p *params) work() *store.Work {
	if p.choice("explain", "0", "1") == "0" {
		return nil
	}
	return &store.Work{}
}

// explained is a member of answers that tell what they took.
type explained struct {
	Explain *store.Explanation `json:"explain,omitempty"`
}

func explain(w *store.Work) (e explained) {
	if w != nil {
		e.Explain = w.Explain()
	}
	return e
}
