package condition

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxParsing is how long the text of any condition may take. About 20 ms were measured; the rest is
// for slow and busy machines.
const maxParsing = 2 * time.Second

func nested(open, inner, closing string, levels int) string {
	return strings.Repeat(open, levels) + inner + strings.Repeat(closing, levels)
}

func TestRefusedConditions(t *testing.T) {
	for _, tt := range []struct{ name, text, reason string }{
		{"blank", " \n", "blank"},
		{"long", `"` + strings.Repeat("x", MaxBytes) + `" == ""`, "at most 4096"},
		{"syntax", `attributes["n"] >`, "invalid syntax at 1:"},
		{"place", `attributes["n"] = = 1`, "1:17"},
		{"path", `nonsense == 1`, "nonsense"},
		{"editor", `set(attributes["n"], 1)`, "set is not a function of conditions"},
		{"unknown function", `Nonsense(1)`, "Nonsense is not a function of conditions; these are: Bool, ContainsValue,"},
		{"XML", `GetXML("<a></a>", "//a") == "x"`, "GetXML is not a function of conditions"},
		{"XML with a space", `Get XML("<a></a>", "//a") == "x"`, "XML is not a function of conditions"},
		{"widths", `Format("%1000000[1]s", ["x"]) == ""`, "Format is not a function of conditions"},
		{"function in an argument", `Len(Concat([body, body], "")) > 0`, "at 1:5: Concat is not a function of conditions"},
		{"lambda", `Any(attributes["l"], (x) => x == 1)`, "Any is not a function of conditions"},
		{"lambda without function", `(x) => x == 1`, "at 1:5: a condition cannot define functions"},
		{"body as text", `IsMatch(log.body . string, "x")`, "write String(body)"},
		{"parentheses", nested("(", "true", ")", 65), "at 1:65: the condition nests deeper than 64 levels"},
		{"many parentheses", nested("(", "true", ")", 1500), "deeper than 64 levels"},
		{"negations", nested("not (", "true", ")", 500), "deeper than 64 levels"},
		{"functions", nested("Len(", "1", ")+1", 20) + " == 1", "too deeply"},
		{"indexes", nested("attributes[", "1", "]", 30) + " == 1", "too deeply"},
		{"lists", nested("[", "1", "]", 30) + " == 1", "too deeply"},
		{"maps", nested(`{"a":`, "1", "}", 30) + " == 1", "too deeply"},
		{"many calls", strings.Repeat(`Len("") == 0 and `, 33) + "true", "more than 32 functions"},
		{"not closed", `(true`, "at 1:1: ( is not closed"},
		{"closes nothing", "true\n)", "at 2:1: ) closes nothing"},
		{"closes another", `(true]`, "at 1:6: ] closes nothing"},
		{"text that is not closed", `body == "x`, "at 1:9: the string is not closed"},
		{"pattern that is computed", `IsMatch(body, attributes["pattern"])`, "string"},
		{"large pattern", `IsMatch(body, "(x{1,100}){1,10}")`, "more than 500 instructions"},
		{"repeated repetitions", `IsMatch(body, "` + strings.Repeat("x{1000}", 500) + `")`, "more than 500 instructions"},
		{"long pattern", `IsMatch(body, "` + strings.Repeat("[ab]", 600) + `")`, "instructions"},
		{"pattern with syntax", `IsMatch(body, "(")`, "missing closing )"},
		{"characters to trim", `Trim(body, "abcdefghijklmnopqrstuvwxyz") == ""`, "may have at most 16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse(tt.text)
			require.ErrorContains(t, err, tt.reason)
			assert.Less(t, time.Since(start), maxParsing)
		})
	}
}

func TestConditionsWithinTheLimits(t *testing.T) {
	for name, text := range map[string]string{
		"parentheses":           nested("(", "true", ")", MaxNesting),
		"negations":             nested("not (", "true", ")", 50),
		"comparison":            nested("(", "1 == 1", ")", 60),
		"arithmetic":            nested("(1+", "1", ")", 45) + " == 1",
		"sum":                   "1" + strings.Repeat("+1", 1000) + " == 1",
		"alternatives":          "1 == 1" + strings.Repeat(" or 1 == 1", 400),
		"list":                  "[1" + strings.Repeat(",1", 1000) + "] == 1",
		"functions":             nested("Len(", `"x"`, ")", 7) + " == 1",
		"functions, arithmetic": nested("Len(", "1", ")+1", 7) + " == 1",
		"indexes":               nested("attributes[", `"x"`, "]", 7) + " == 1",
		"indexes, arithmetic":   nested("attributes[", "1", "]+1", 7) + " == 1",
		"lists":                 nested("[", "1", "]", 8) + " == 1",
		"maps":                  nested(`{"a":`, "1", "}", 7) + " == 1",
		"both":                  nested("(", nested("Len(", "1", ")+1", 3)+" == 1", ")", 30),
		"brackets in a text":    `body == "` + strings.Repeat(`(\"`, 1000) + `"`,
		"keywords":              `not(true)and(true)or(true)`,
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse(text)
			require.NoError(t, err)
			assert.Less(t, time.Since(start), maxParsing)
		})
	}
}

// The steps that a text is charged are at least those that OTTL's parser needs, up to a factor: the
// worst conditions of every shape take no longer than the limit allows.
func TestParsingTakesNoLongerThanItsSteps(t *testing.T) {
	needsTimes(t)
	for _, shape := range [][3]string{
		{"Len(", "1", ")+1"},
		{"attributes[", "1", "]+1"},
		{"attributes[", "1 1", "]+1"},
		{"[", "1", "]"},
		{`{"a":`, "1", "}"},
		{"Len(attributes[", "1", "]+1)+1"},
		{"Len((", "1", ")+1)+1"},
		{"set(", "1", ")+1"},
		{"-(", "1", ")"},
	} {
		for levels := range 13 {
			inner := nested(shape[0], shape[1], shape[2], levels)
			for _, rest := range []string{" == 1", "", " 1", " == " + inner, " and " + inner + " == 1"} {
				text := nested("(", inner+rest, ")", MaxNesting-levels)
				start := time.Now()
				_, _ = Parse(text)
				require.Less(t, time.Since(start), maxParsing, text)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`attributes["n"] == 7 and not (event_name == "user.login" or IsMatch(body, "^a.a$"))`,
		nested("(", "true", ")", 70), nested("Len(", "1", ")+1", 12) + " == 1", `[{"a": 0x0f}, 1.5e-3, nil] != attributes["l"][Len("\"")]`,
		"true)", "(true", `"\`, "=>", "a.b[", "1 == 1 or", "IsMatch(body, \"(a{1,100}){1,100}\")", "\x00\xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		c, err := Parse(text)
		if took := time.Since(start); took > maxParsing {
			t.Fatal(fmt.Sprint("takes ", took))
		}
		if err == nil {
			_, _ = c.Matches(t.Context(), eventOf(func(v value) { v.SetStr("x") }))
		}
	})
}
