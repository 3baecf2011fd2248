package eventstoreexporter

import (
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// advice is how exporterhelper goes on when it reports that the store did not take a request. A
// store that is full or cannot write gets no better by a queue, with which events are answered that
// are not stored; the sender still has its events, and tries again.
const advice = " Try enabling"

// withoutQueueAdvice returns a logger that leaves the advice out.
func withoutQueueAdvice(l *zap.Logger) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return plainCore{c} }))
}

type plainCore struct{ zapcore.Core }

func (c plainCore) With(fields []zapcore.Field) zapcore.Core { return plainCore{c.Core.With(fields)} }

func (c plainCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	e.Message, _, _ = strings.Cut(e.Message, advice)
	return c.Core.Check(e, ce)
}
