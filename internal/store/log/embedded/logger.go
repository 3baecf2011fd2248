package embedded

import (
	"strings"

	"go.uber.org/zap"
)

// logger hands the server's messages to zap, one level lower where they are news only to
// those who know NATS.
type logger struct{ z *zap.SugaredLogger }

func (l logger) Noticef(format string, v ...any) { l.z.Debugf(format, v...) }
func (l logger) Errorf(format string, v ...any)  { l.z.Errorf(format, v...) }
func (l logger) Debugf(format string, v ...any)  { l.z.Debugf(format, v...) }
func (l logger) Tracef(format string, v ...any)  { l.z.Debugf(format, v...) }

// Warnf leaves to the store what it asks for itself, every second while the disk is full.
func (l logger) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Healthcheck failed") {
		l.z.Debugf(format, v...)
		return
	}
	l.z.Warnf(format, v...)
}

// Fatalf only logs: the server runs inside somebody else's process.
func (l logger) Fatalf(format string, v ...any) { l.z.Errorf(format, v...) }
