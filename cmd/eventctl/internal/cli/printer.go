package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/column"
)

// printer writes events one after the other, in the form of an output.
type printer struct {
	*output
	begun bool // something is written
	lines *show.Lines
	csv   *csv.Writer
}

// addPrinter adds the flags of an output of events. An endless one is not a document.
func (a *app) addPrinter(cmd *cobra.Command, endless bool) *printer {
	return &printer{output: a.addOutput(cmd, &output{short: formNDJSON, events: true, endless: endless})}
}

func (p *printer) event(e *client.Event) error {
	switch {
	case p.form == formJSON:
		return p.element(e.Raw)
	case p.form == formNDJSON:
		return p.line(string(e.Raw))
	case p.forPeople():
		return p.line(p.app.style.Event(&e.Event))
	}
	if err := p.begin(); err != nil {
		return err
	}
	values := make([]any, len(p.columns))
	for i, name := range p.columns {
		values[i] = column.Of(&e.Event, e.Cursor, name)
	}
	if p.lines != nil {
		return p.line(p.lines.Line(values, p.app.style))
	}
	fields := make([]string, len(values))
	for i, v := range values {
		fields[i] = p.app.style.Field(v)
	}
	return p.row(fields)
}

// begin writes the head of columns, once.
func (p *printer) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	if p.form == formCSV {
		if p.columns == nil {
			p.columns = column.Default
		}
		p.csv = csv.NewWriter(p.app.out)
		return p.row(p.columns)
	}
	var head string
	p.lines, head = show.NewLines(p.columns, p.app.style)
	return p.line(head)
}

func (p *printer) line(text string) error {
	_, err := fmt.Fprintln(p.app.out, text)
	return err
}

func (p *printer) row(fields []string) error {
	_ = p.csv.Write(fields) // the error is kept for Flush
	p.csv.Flush()
	return p.csv.Error()
}

// element writes an element of the list that a document is.
func (p *printer) element(raw json.RawMessage) error {
	before := ",\n"
	if !p.begun {
		before = "[\n"
	}
	p.begun = true
	_, err := fmt.Fprintf(p.app.out, "%s%s", before, raw)
	return err
}

// end ends the document, and is not called where something went wrong: what is left is no JSON
// then.
func (p *printer) end() error {
	switch {
	case p.form == formJSON && p.begun:
		return p.line("\n]")
	case p.form == formJSON:
		return p.line("[]")
	case p.forPeople(), p.form == formNDJSON:
		return nil
	}
	return p.begin() // a head without rows
}

// gap reports a gap on standard error, and in JSON also at its place between the events.
func (p *printer) gap(g *client.Gap) error {
	if g == nil {
		return nil
	}
	p.app.say("%s", show.Gap(g))
	if p.form != formJSON && p.form != formNDJSON {
		return nil
	}
	raw, err := json.Marshal(map[string]*client.Gap{"gap": g})
	switch {
	case err != nil:
		return err
	case p.form == formJSON:
		return p.element(raw)
	}
	return p.line(string(raw))
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
