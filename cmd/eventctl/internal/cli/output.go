package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // for machines that know no time zones

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/column"
)

// The forms of results.
const (
	formTable  = "table"
	formJSON   = "json"
	formNDJSON = "ndjson"
	formCSV    = "csv"
)

var forms = []string{formTable, formJSON, formNDJSON, formCSV}

// output is how a command writes its results: the same flags in every command that prints events or
// tables. A command sets the fields below before its command line is read.
type output struct {
	// short is what --json stands for: formNDJSON for events, else formJSON.
	short string
	// events says that the results are events, and endless that they have no end.
	events, endless bool
	// zone is where the times for people are shown, unless a flag says it: here.
	zone *time.Location

	app          *app
	form, place  string
	columns      []string
	asJSON, utc  bool
	placeOfTimes string // what --tz is for
}

// addOutput adds the flags of an output to a command.
func (a *app) addOutput(cmd *cobra.Command, o *output) *output {
	o.app = a
	if o.zone == nil {
		o.zone = time.Local
	}
	if o.placeOfTimes == "" {
		o.placeOfTimes = "show times of this place, such as Europe/Oslo (default: those of this machine)"
	}
	one := "the answer of the server, on one line; as -o json"
	if o.short == formNDJSON {
		one = "one a line as JSON, as the server sends it; as -o ndjson"
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.form, "output", "o", formTable, "table for people; json: one document; ndjson: one a line as JSON; csv: with a header row")
	flags.StringSliceVar(&o.columns, "columns", nil, "columns of a table or of csv, a list with commas")
	flags.BoolVar(&o.asJSON, "json", false, one)
	flags.BoolVar(&o.utc, "utc", false, "show times in UTC")
	flags.StringVar(&o.place, "tz", "", o.placeOfTimes)
	complete(cmd, "output", forms...)
	cmd.MarkFlagsMutuallyExclusive("output", "json")
	cmd.MarkFlagsMutuallyExclusive("utc", "tz")
	cmd.PreRunE = func(*cobra.Command, []string) error { return o.check() }
	return o
}

// check reads the flags.
func (o *output) check() error {
	if o.asJSON {
		o.form = o.short
	}
	switch {
	case !slices.Contains(forms, o.form):
		return usagef("--output is %q, but must be table, json, ndjson or csv", o.form)
	case o.form == formJSON && o.endless:
		return usagef("--output json is one document, and this has no end: write -o ndjson for one event a line")
	case o.columns != nil && len(o.columns) == 0:
		return usagef("--columns names no column")
	case o.columns != nil && (o.form == formJSON || o.form == formNDJSON):
		return usagef("--columns is for tables and csv: JSON has everything")
	}
	for _, name := range o.columns {
		if o.events && !column.Valid(name) {
			return usagef("--columns has %q, but a column is %s", name, column.Syntax)
		}
	}
	style := o.app.style
	switch style.Zone = o.zone; {
	case o.utc, o.form == formCSV && o.place == "": // as the server writes them
		style.Zone = time.UTC
	case o.place != "":
		zone, err := time.LoadLocation(o.place)
		if err != nil {
			return usagef("--tz is %q, but must be the name of a time zone, such as Europe/Oslo or UTC", o.place)
		}
		style.Zone = zone
	}
	return nil
}

// forPeople says whether the results are for people, in the form that the command has for them.
func (o *output) forPeople() bool { return o.form == formTable && o.columns == nil }

// document writes an answer of the server. Its results are the elements of a list in it, "" for the
// answer itself; the table has them as rows.
func (o *output) document(answer json.RawMessage, list string, table *show.Table) error {
	switch {
	case o.form == formJSON, o.form == formNDJSON && list == "":
		return o.app.raw(answer)
	case o.form == formNDJSON:
		var lists map[string]json.RawMessage
		var elements []json.RawMessage
		if err := json.Unmarshal(answer, &lists); err != nil {
			return err
		}
		if err := json.Unmarshal(lists[list], &elements); err != nil {
			return fmt.Errorf("the answer has no list %s: %w", list, err)
		}
		for _, element := range elements {
			if err := o.app.raw(element); err != nil {
				return err
			}
		}
		return nil
	}
	if o.columns != nil {
		if err := table.Choose(o.columns); err != nil {
			return usagef("--columns: %w", err)
		}
	}
	if o.form == formCSV {
		return table.CSV(o.app.out, o.app.style)
	}
	return table.Write(o.app.out, o.app.style)
}

// records writes a list of documents of which each is a row.
func (o *output) records(documents []json.RawMessage, table *show.Table) error {
	list, err := json.Marshal(map[string][]json.RawMessage{"all": documents})
	if err != nil {
		return err
	}
	if o.form == formJSON {
		return o.app.raw(list[len(`{"all":`) : len(list)-1])
	}
	return o.document(list, "all", table)
}
