package client

// Explanation says what an answer took.
type Explanation struct {
	Blocks struct {
		// Considered is the sum of the others.
		Considered uint64 `json:"considered"`
		LeftOut    struct {
			ByTime      uint64 `json:"by_time"`
			ByType      uint64 `json:"by_type"` // or by source or severity
			BySideIndex uint64 `json:"by_side_index"`
		} `json:"left_out"`
		CountedByIndex uint64 `json:"counted_by_index"`
		InMemory       uint64 `json:"in_memory"`
		Opened         uint64 `json:"opened"`
	} `json:"blocks"`
	// Events is how many were looked at, one by one.
	Events uint64 `json:"events"`
	// BytesRead are of the blocks that were opened, BytesOpened of the same decompressed.
	BytesRead   uint64 `json:"bytes_read"`
	BytesOpened uint64 `json:"bytes_opened"`
	// Milliseconds are by step; those of several cores are added up.
	Milliseconds struct {
		Index     float64 `json:"index"`
		SideIndex float64 `json:"side_index"`
		Read      float64 `json:"read"`
		Open      float64 `json:"open"`
		Match     float64 `json:"match"`
	} `json:"milliseconds"`
}

// explainValue is the parameter explain.
func explainValue(explain bool) string {
	if explain {
		return "1"
	}
	return ""
}
