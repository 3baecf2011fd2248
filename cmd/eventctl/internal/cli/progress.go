package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows a person how far something has come; a nil bar shows nothing.
type bar struct {
	app *app
	bar *progressbar.ProgressBar
}

// barless returns whether progress is shown without bars.
func (a *app) barless() bool { return !isTerminal(a.stderr) }

// newBar shows a bar until it ends; a total of -1 is unknown.
func (a *app) newBar(what string, total int64, bytes bool) *bar {
	if a.barless() {
		return nil
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription(what), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionShowBytes(bytes),
	}
	if !bytes {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"))
	}
	a.bar = &bar{app: a, bar: progressbar.NewOptions64(total, options...)}
	return a.bar
}

func (b *bar) add(n int) {
	if b != nil {
		_ = b.bar.Add(n) // more than expected is no mistake
	}
}

// Write counts bytes.
func (b *bar) Write(p []byte) (int, error) {
	b.add(len(p))
	return len(p), nil
}

// clear makes room for a line; the bar comes again below it.
func (b *bar) clear() {
	if b != nil {
		_ = b.bar.Clear()
	}
}

func (b *bar) end() {
	if b != nil {
		b.clear()
		b.app.bar = nil
	}
}
