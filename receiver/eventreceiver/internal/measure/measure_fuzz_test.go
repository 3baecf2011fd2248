package measure

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// What the decoder takes is measured, and holds the records that were counted.
func FuzzProto(f *testing.F) {
	for _, body := range shapes(f) {
		f.Add(body[:min(len(body), 2000)])
	}
	body, err := plogotlp.NewExportRequestFromLogs(usual(3)).MarshalProto()
	require.NoError(f, err)
	f.Add(body)
	f.Add(wrap(1, wrap(deprecatedScopeLogs, wrap(2, nil))))
	f.Add([]byte{0x0b, 0x0c})       // an empty group
	f.Add([]byte{0x0b, 0x0a, 0x00}) // a group that does not end
	f.Fuzz(func(t *testing.T, body []byte) {
		size, err := Proto(body, noLimit)
		req := plogotlp.NewExportRequest()
		if err == ErrTooDeep || req.UnmarshalProto(body) != nil { //nolint:errorlint // returned as it is
			return
		}
		require.NoError(t, err)
		if bytes.Contains(body, []byte{0xc2, 0x3e}) { // the deprecated field, of which the decoder may take none
			assert.GreaterOrEqual(t, size.Records, req.Logs().LogRecordCount())
			return
		}
		assert.Equal(t, req.Logs().LogRecordCount(), size.Records)
	})
}

// In what the decoder takes there are no more records than were counted.
func FuzzJSON(f *testing.F) {
	for _, body := range shapes(f) {
		req := plogotlp.NewExportRequest()
		if req.UnmarshalProto(body[:min(len(body), 2000)]) == nil {
			text, err := req.MarshalJSON()
			require.NoError(f, err)
			f.Add(text)
		}
	}
	text, err := plogotlp.NewExportRequestFromLogs(usual(3)).MarshalJSON()
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"log\u0052ecords":[{},null,{}]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		size, err := JSON(text, noLimit)
		if err != nil {
			return
		}
		req := plogotlp.NewExportRequest()
		if req.UnmarshalJSON(text) == nil {
			assert.GreaterOrEqual(t, size.Records, req.Logs().LogRecordCount())
		}
	})
}
