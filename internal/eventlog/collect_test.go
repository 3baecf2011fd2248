package eventlog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

type consumerFunc func(ctx context.Context, ld plog.Logs) error

func (f consumerFunc) ConsumeLogs(ctx context.Context, ld plog.Logs) error { return f(ctx, ld) }

func refuse(total int, indexes ...int) *eventlog.Refused {
	r := &eventlog.Refused{Total: total}
	for _, i := range indexes {
		r.Records = append(r.Records, eventlog.Refusal{Index: i, Reason: event.ReasonTooLarge})
	}
	return r
}

func indexes(err error) (all []int) {
	if refused := eventlog.RefusedAlone(err); refused != nil {
		for _, r := range refused.Records {
			all = append(all, r.Index)
		}
	}
	return all
}

func TestConsumeIsToldWhatIsRefused(t *testing.T) {
	elsewhere := errors.New("elsewhere")
	answer := func(errs ...error) consumerFunc {
		return func(ctx context.Context, _ plog.Logs) (err error) {
			for _, one := range errs { // as components behind a fan-out do
				err = eventlog.Answer(ctx, one)
			}
			return err
		}
	}
	for name, tt := range map[string]struct {
		next consumerFunc
		want []int
		err  error
	}{
		"nothing":                 {answer(nil), nil, nil},
		"some":                    {answer(refuse(4, 1, 3)), []int{1, 3}, nil},
		"by two":                  {answer(refuse(4, 3), refuse(4, 0, 3)), []int{0, 3}, nil},
		"all":                     {answer(refuse(2, 0, 1)), []int{0, 1}, nil},
		"an error beside":         {answer(refuse(4, 3), elsewhere), nil, elsewhere},
		"answered and told":       {answer(refuse(4, 3), refuse(4, 0, 1, 2, 3)), []int{0, 1, 2, 3}, nil},
		"an error alone":          {answer(elsewhere), nil, elsewhere},
		"answered, as by a queue": {func(context.Context, plog.Logs) error { return refuse(4, 2) }, []int{2}, nil},
	} {
		err := eventlog.Consume(t.Context(), tt.next, plog.NewLogs())
		assert.Equal(t, tt.want, indexes(err), name)
		if tt.err != nil {
			assert.ErrorIs(t, err, tt.err, name)
		}
	}
}

func TestAnswer(t *testing.T) {
	refused := refuse(4, 1)
	assert.Equal(t, error(refused), eventlog.Answer(t.Context(), refused), "nobody is there to be told")
	var late context.Context
	require.NoError(t, eventlog.Consume(t.Context(), consumerFunc(func(ctx context.Context, _ plog.Logs) error {
		late = ctx
		assert.NoError(t, eventlog.Answer(ctx, nil))
		return nil
	}), plog.NewLogs()))
	assert.Equal(t, error(refused), eventlog.Answer(late, refused), "the request was answered, as behind a queue")
}
