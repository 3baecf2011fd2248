package alert

import "time"

// Observer counts what happens; its functions may be nil, and are called from many goroutines.
type Observer struct {
	// Evaluated is called after each evaluation of a rule.
	Evaluated func(group string, took time.Duration, ok bool)
	// Sent, Failed and Dropped are called with the kind of notifier and the number of alerts.
	// Failed ones are sent again; dropped ones are not.
	Sent, Failed func(kind string, alerts int)
	Dropped      func(kind, reason string, alerts int)
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
