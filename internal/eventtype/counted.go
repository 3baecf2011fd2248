package eventtype

const (
	// MaxCounted is how many event types, or sources, are counted by name in one place.
	MaxCounted = 256
	// Others is the name under which those that come later are counted together.
	Others = "other"
)

// CountedAs returns the name under which a type or source is counted in counts: its own, or Others
// where MaxCounted other names came first.
func CountedAs[C any](counts map[string]C, name string) string {
	if _, known := counts[name]; known {
		return name
	}
	named := len(counts)
	if _, others := counts[Others]; others {
		named--
	}
	if named >= MaxCounted {
		return Others
	}
	return name
}
