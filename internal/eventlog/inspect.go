package eventlog

import "context"

type inspectedKey struct{}

// WithInspected says to the components behind a call that Canonicalize had these records, so that
// they need not look at each text and name again, which takes twice the time of all else. It
// changes no promise: a component between that writes other text answers for it.
func WithInspected(ctx context.Context) context.Context {
	return context.WithValue(ctx, inspectedKey{}, true)
}

// lookOf is how closely records that come with ctx are looked at.
func lookOf(ctx context.Context) look { return look(ctx.Value(inspectedKey{}) == nil) }

// look says how closely to look at records: at everything, or not at texts and names.
type look bool
