package predicate

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
)

// datum asks for a value of the data.
type datum struct {
	path    string
	texts   []string
	numbers []float64 // those of texts that are numbers
}

func newDatum(path string, texts []string) datum {
	d := datum{path: path, texts: texts}
	for _, text := range texts {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			d.numbers = append(d.numbers, n)
		}
	}
	return d
}

// matches compares numbers as numbers, so that 1 is also 1.0, and all else as the text that
// JSON shows. Maps and lists match nothing.
func (d *datum) matches(ref eventlog.Ref) bool {
	v, ok := ref.Data(d.path)
	if !ok {
		return false
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return slices.Contains(d.texts, v.Str())
	case pcommon.ValueTypeBool:
		return slices.Contains(d.texts, strconv.FormatBool(v.Bool()))
	case pcommon.ValueTypeInt: // beyond 2^53 a float64 is not exact
		return slices.Contains(d.texts, strconv.FormatInt(v.Int(), 10)) ||
			v.Int() == int64(float64(v.Int())) && slices.Contains(d.numbers, float64(v.Int()))
	case pcommon.ValueTypeDouble:
		return slices.Contains(d.numbers, v.Double()) || math.IsNaN(v.Double()) && slices.Contains(d.texts, "NaN")
	case pcommon.ValueTypeBytes:
		return slices.Contains(d.texts, base64.StdEncoding.EncodeToString(v.Bytes().AsRaw()))
	case pcommon.ValueTypeEmpty:
		return slices.Contains(d.texts, "null")
	default:
		return false
	}
}
