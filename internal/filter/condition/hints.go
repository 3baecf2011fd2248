package condition

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/isbl/telemetry/internal/severity"
)

// paths are what the names that people try are called in OTTL.
var paths = map[string]string{
	"event_type": "event_name", "type": "event_name", "name": "event_name",
	"event_id": `attributes["log.record.uid"]`, "id": `attributes["log.record.uid"]`,
	"source": "Source()", "service": "Source()", "service_name": "Source()",
	"timestamp":      "time_unix_nano, or the parameters since and until",
	"severity":       "severity_number, as in severity_number >= SEVERITY_NUMBER_ERROR",
	"level":          "severity_number, as in severity_number >= SEVERITY_NUMBER_ERROR",
	"message":        "body",
	"msg":            "body",
	"metadata":       "the path of the record itself, such as severity_text, trace_id.string or body",
	"attribute":      "attributes",
	"resource_attrs": "resource.attributes",
}

var (
	wrongPath  = regexp.MustCompile(`segment "(\w+)" from path "([^"]*)"`)
	wrongKey   = regexp.MustCompile(`the path section "(\w+)" was not used`)
	wrongEnum  = regexp.MustCompile(`enum symbol, (\w+), not found`)
	singleSign = regexp.MustCompile("near `=[^=]")
)

// withHint adds to an error of OTTL what to write instead of a word that people try.
func withHint(err error) error {
	if hint := hintFor(err.Error()); hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

func hintFor(text string) string {
	if m := wrongPath.FindStringSubmatch(text); m != nil {
		segment, path := m[1], m[2]
		if segment == "data" {
			return fmt.Sprintf("write %s for %s", attribute(path), path)
		}
		if right, known := paths[segment]; known {
			return fmt.Sprintf("write %s for %s", right, segment)
		}
		return fmt.Sprintf(`a key of the data is attributes["%s"]`, segment)
	}
	if m := wrongKey.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf(`keys are written in brackets, as in attributes["%s"]`, m[1])
	}
	if m := wrongEnum.FindStringSubmatch(text); m != nil {
		if _, known := severity.Parse(m[1]); known {
			return fmt.Sprintf("write SEVERITY_NUMBER_%s for %s", strings.ToUpper(m[1]), m[1])
		}
	}
	if singleSign.MatchString(text) {
		return "write == to compare"
	}
	return ""
}

// attribute is what data.user.id, or data[user][id] as OTTL's errors have it, is in OTTL.
func attribute(path string) string {
	keys := strings.FieldsFunc(strings.TrimPrefix(path, "data"), func(r rune) bool { return strings.ContainsRune(".[]", r) })
	if len(keys) == 0 {
		return "attributes"
	}
	return `attributes["` + strings.Join(keys, `"]["`) + `"]`
}
