package event

// AddString adds an entry of metadata, unless it says nothing.
func AddString(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// AddNumber adds an entry of metadata, unless it says nothing.
func AddNumber(m map[string]any, name string, value int64) {
	if value != 0 {
		m[name] = value
	}
}

// Submap returns the map under name, making it if need be.
func Submap(m map[string]any, name string) map[string]any {
	sub, ok := m[name].(map[string]any)
	if !ok {
		sub = map[string]any{}
		m[name] = sub
	}
	return sub
}
