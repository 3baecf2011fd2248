package alert

import "time"

// Observer counts what happens; its functions may be nil, and are called from many goroutines.
type Observer struct {
	// Evaluated is called after each evaluation of a rule.
	Evaluated func(group string, took time.Duration, ok bool)
	// Sent, Failed and Dropped are called with the kind of notifier and the number of alerts.
	// Failed ones are sent again; dropped ones are not. At the start they are called with 0 alerts
	// for all that may happen, so that the first of a kind is an increase.
	Sent, Failed func(kind string, alerts int)
	Dropped      func(kind, reason string, alerts int)
}

// Why a notification is given up.
const (
	reasonFull    = "full"
	reasonRefused = "refused"
	reasonDead    = "dead"
)

// begin counts nothing of what may happen to the notifications of a kind.
func (o *Observer) begin(kind string, reasons ...string) {
	o.sent(kind, 0)
	o.failed(kind, 0)
	for _, reason := range reasons {
		o.dropped(kind, reason, 0)
	}
}

func (o *Observer) evaluated(group string, took time.Duration, ok bool) {
	if o.Evaluated != nil {
		o.Evaluated(group, took, ok)
	}
}

// failure counts rules that could not be evaluated at all.
func (o *Observer) failure(group string, rules int) {
	for range rules {
		o.evaluated(group, 0, false)
	}
}

func (o *Observer) sent(kind string, alerts int) {
	if o.Sent != nil {
		o.Sent(kind, alerts)
	}
}

func (o *Observer) failed(kind string, alerts int) {
	if o.Failed != nil {
		o.Failed(kind, alerts)
	}
}

func (o *Observer) dropped(kind, reason string, alerts int) {
	if o.Dropped != nil {
		o.Dropped(kind, reason, alerts)
	}
}
