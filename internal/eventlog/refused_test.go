package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// TestOnlyTheCulpritsAreRefused goes through requests of records in several scopes; those in
// capitals are too deep.
func TestOnlyTheCulpritsAreRefused(t *testing.T) {
	tests := []struct {
		name    string
		scopes  []string // of one resource each
		want    []int
		left    string
		leftIn  int // resources
		nothing bool
	}{
		{name: "none", scopes: []string{"abc", "d"}, left: "abcd", leftIn: 2, nothing: true},
		{name: "one", scopes: []string{"aBc"}, want: []int{1}, left: "ac", leftIn: 1},
		{name: "in several scopes", scopes: []string{"Ab", "cd", "EfG"}, want: []int{0, 4, 6}, left: "bcdf", leftIn: 3},
		{name: "a whole scope", scopes: []string{"ab", "CD", "e"}, want: []int{2, 3}, left: "abe", leftIn: 2},
		{name: "all", scopes: []string{"A", "B"}, want: []int{0, 1}},
		{name: "nothing at all", nothing: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ld := plog.NewLogs()
			for _, names := range tt.scopes {
				records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
				for _, name := range names {
					r := records.AppendEmpty()
					r.SetEventName(string(name))
					r.Attributes().PutStr("log.record.uid", "id-"+string(name))
					if strings.ToUpper(string(name)) == string(name) {
						nest(r.Attributes().PutEmpty("deep"), 65)
					}
				}
			}
			total := ld.LogRecordCount()
			refused := eventlog.Canonicalize(context.Background(), ld, defaults, nil)
			if tt.nothing {
				require.Nil(t, refused)
			} else {
				require.NotNil(t, refused)
				assert.Equal(t, total, refused.Total)
				all := strings.Join(tt.scopes, "")
				require.Len(t, refused.Records, len(tt.want))
				for i, r := range refused.Records {
					assert.Equal(t, tt.want[i], r.Index)
					assert.Equal(t, all[r.Index:r.Index+1], r.EventType)
					assert.Equal(t, "id-"+r.EventType, r.EventID)
				}
			}
			var left strings.Builder
			for r := range eventlog.All(ld) {
				left.WriteString(r.EventType())
			}
			assert.Equal(t, tt.left, left.String())
			assert.Equal(t, tt.leftIn, ld.ResourceLogs().Len())
		})
	}
}

func TestRefusedIsAnErrorForTheSender(t *testing.T) {
	refused := &eventlog.Refused{Total: 7, Records: []eventlog.Refusal{
		{Index: 3, EventID: "id", EventType: "user.login", Reason: event.ReasonTooDeep, Detail: "nested deeper than 64 levels"},
		{Index: 5, Reason: event.ReasonTooLarge, Detail: "600 KiB"},
	}}
	const want = `2 of 7 records refused, the other 5 were taken: record 3 (event type "user.login", id "id"): too_deep: nested deeper than 64 levels; record 5: too_large: 600 KiB`
	require.EqualError(t, refused, want)

	wrapped := fmt.Errorf("store: %w", refused)
	assert.True(t, consumererror.IsPermanent(wrapped))
	s, ok := status.FromError(wrapped)
	assert.True(t, ok)
	assert.Equal(t, codes.InvalidArgument, s.Code())
	assert.Contains(t, s.Message(), want)
	var found *eventlog.Refused
	require.ErrorAs(t, wrapped, &found)
	assert.Same(t, refused, found)
}

func TestRefusedText(t *testing.T) {
	refused := &eventlog.Refused{Total: 9}
	for i := range 9 {
		refused.Records = append(refused.Records, eventlog.Refusal{Index: i, EventType: strings.Repeat("é", 5000), EventID: "\xff", Reason: "too_deep", Detail: "d"})
	}
	text := refused.Error()
	assert.True(t, strings.HasPrefix(text, "9 of 9 records refused: record 0 ("), "nothing was taken: %s", text)
	assert.Contains(t, text, "; and 4 more")
	assert.NotContains(t, text, "record 5")
	assert.Less(t, len(text), 2000, "a sender cannot make it long")
	assert.NotContains(t, text, "\xff", "it is text")
}

// TestMerge draws two stages that refuse at random, and looks for each refusal at its place in the
// request.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 12).Draw(t, "records")
		first, second, want := &eventlog.Refused{Total: total}, &eventlog.Refused{}, []eventlog.Refusal{}
		for i := range total {
			id := fmt.Sprint(i)
			switch rapid.IntRange(0, 2).Draw(t, "refused by") {
			case 0:
				first.Records = append(first.Records, eventlog.Refusal{Index: i, EventID: id})
				want = append(want, eventlog.Refusal{Index: i, EventID: id})
				continue
			case 1:
				second.Records = append(second.Records, eventlog.Refusal{Index: second.Total, EventID: id})
				want = append(want, eventlog.Refusal{Index: i, EventID: id})
			}
			second.Total++
		}
		second.Records = rapid.Permutation(second.Records).Draw(t, "order")
		all := first.Merge(second)
		require.Equal(t, total, all.Total)
		require.ElementsMatch(t, want, all.Records)
		for i := range want {
			require.Equal(t, want[i], all.Records[i], "by index")
		}
	})
	refused := &eventlog.Refused{Total: 1}
	assert.Same(t, refused, refused.Merge(nil))
}

func TestRefusedAlone(t *testing.T) {
	refused := &eventlog.Refused{Total: 1}
	assert.Same(t, refused, eventlog.RefusedAlone(refused))
	assert.Same(t, refused, eventlog.RefusedAlone(fmt.Errorf("a: %w", fmt.Errorf("b: %w", refused))))
	assert.Nil(t, eventlog.RefusedAlone(nil))
	assert.Nil(t, eventlog.RefusedAlone(errors.New("other")))
	assert.Nil(t, eventlog.RefusedAlone(errors.Join(refused, errors.New("other"))), "another consumer has an error of its own")
}
