package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
)

const (
	// defaultLetters and maxLetters are how many dead letters a page holds.
	defaultLetters = 100
	maxLetters     = 1000
)

func (h *Handler) deadLetterCalls() []call {
	const letters = consumersPath + "/{name}/dead-letters"
	return []call{
		{
			Method: http.MethodGet, Path: letters,
			Description: "Events that were handed out max_deliver times and are not done, the oldest first.",
			Parameters: []parameter{
				{Name: "limit", Description: "how many, 1 to 1000 (default 100)"},
				{Name: "skip", Description: "how many to leave out at the start"},
			},
			serve: h.serveDeadLetters,
		},
		{
			Method: http.MethodPost, Path: letters + "/return",
			Description: `Hands dead letters out again: {"cursors": ["…"]} or {"all": true}.`,
			serve:       h.removeDeadLetters("returned", h.consumers.ReturnDeadLetters),
		},
		{
			Method: http.MethodPost, Path: letters + "/drop",
			Description: `Forgets dead letters: {"cursors": ["…"]} or {"all": true}. The events stay in the store.`,
			serve:       h.removeDeadLetters("dropped", h.consumers.DropDeadLetters),
		},
	}
}

// deadLetter is one of the answer. Event is null when it is not kept any more.
type deadLetter struct {
	Cursor     store.Cursor    `json:"cursor"`
	Deliveries int             `json:"deliveries"`
	Since      time.Time       `json:"since"`
	Reason     string          `json:"reason,omitempty"`
	Event      json.RawMessage `json:"event"` // null where there is none
}

func (h *Handler) serveDeadLetters(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	limit, skip := p.number("limit", 1, maxLetters, defaultLetters), p.number("skip", 0, 1<<30, 0)
	if p.bad != nil {
		return p.bad
	}
	letters, all, err := h.consumers.DeadLetters(r.Context(), r.PathValue("name"), skip, limit)
	if err != nil {
		return h.consumerProblem(r, err)
	}
	answer := struct {
		DeadLetters []deadLetter `json:"dead_letters"`
		Total       int          `json:"total"`
	}{make([]deadLetter, len(letters)), all}
	for i, letter := range letters {
		answer.DeadLetters[i] = deadLetter(letter)
	}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

// removeDeadLetters calls remove for the dead letters that a request names. The answer has their
// number under key.
func (h *Handler) removeDeadLetters(
	key string, remove func(ctx context.Context, name string, cursors []store.Cursor) (int, error),
) func(http.ResponseWriter, *http.Request, url.Values) *problem {
	return func(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
		var body struct {
			Cursors []string `json:"cursors"`
			All     bool     `json:"all"`
		}
		if p := decode(r, &body, false); p != nil {
			return p
		}
		if body.All == (len(body.Cursors) > 0) {
			return badPointer("cursors", `name the dead letters in "cursors", or say "all": true`)
		}
		list, p := cursors("cursors", body.Cursors)
		if p != nil {
			return p
		}
		n, err := remove(r.Context(), r.PathValue("name"), list)
		if err != nil {
			return h.consumerProblem(r, err)
		}
		httpjson.Write(w, http.StatusOK, map[string]int{key: n})
		return nil
	}
}

// number reads a whole number within bounds.
func (p *params) number(name string, least, most, standard int) int {
	if !p.has(name) {
		return standard
	}
	n, err := strconv.Atoi(p.values.Get(name))
	if err != nil || n < least || n > most {
		p.fail(name, "%s is %s, but must be a number from %d to %d", name, text.Quote(p.values.Get(name)), least, most)
	}
	return n
}
