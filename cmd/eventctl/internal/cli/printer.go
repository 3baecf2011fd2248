package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

// printer writes events as lines for people, or as lines of JSON.
type printer struct {
	app  *app
	json bool
}

func (a *app) addPrinter(cmd *cobra.Command) *printer {
	p := &printer{app: a}
	cmd.Flags().BoolVar(&p.json, "json", false, "one event a line as JSON, as the server sends it")
	return p
}

func (p *printer) event(e *client.Event) error {
	var err error
	if p.json {
		_, err = fmt.Fprintf(p.app.out, "%s\n", e.Raw)
	} else {
		_, err = fmt.Fprintln(p.app.out, p.app.colours.Event(&e.Event))
	}
	return err
}

// gap reports a gap on standard error, and with --json also at its place between the events.
func (p *printer) gap(g *client.Gap) error {
	if g == nil {
		return nil
	}
	p.app.say("%s", show.Gap(g))
	if !p.json {
		return nil
	}
	return json.NewEncoder(p.app.out).Encode(map[string]*client.Gap{"gap": g})
}

// whereErrors tells, once, that a condition had no answer for some events.
func (a *app) whereErrors(f *client.Failures) {
	if f != nil {
		a.toldWhere.Do(func() {
			a.say("the condition has no answer for some events, %d so far, which are left out: %s", f.Events, f.First)
		})
	}
}

// raw writes an answer as it came.
func (a *app) raw(answer json.RawMessage) error {
	_, err := fmt.Fprintln(a.out, compact(answer))
	return err
}
