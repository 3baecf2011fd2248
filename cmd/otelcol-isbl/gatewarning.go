package main

import (
	"strings"

	"go.uber.org/zap/zapcore"
)

// withoutGateWarning drops the health check's warning that its feature gate is open and its
// configuration of the form for a closed one. It is so on purpose: config.yaml works in Collectors
// where the gate is closed, and the open gate reads it just as well.
func withoutGateWarning(core zapcore.Core) zapcore.Core { return filteredCore{core} }

type filteredCore struct{ zapcore.Core }

func (c filteredCore) With(fields []zapcore.Field) zapcore.Core {
	return filteredCore{c.Core.With(fields)}
}

func (c filteredCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if strings.HasPrefix(entry.Message, "Feature gate enabled but using legacy config format") {
		return checked
	}
	return c.Core.Check(entry, checked)
}
