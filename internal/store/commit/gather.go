package commit

import "time"

const (
	// enoughBytes of requests are committed without waiting for more: what a commit costs
	// is little beside them.
	enoughBytes = 128 << 10
	// maxPatience bounds the wait for more requests, however slow the disk is.
	maxPatience = time.Millisecond
	// maxSkipped is how many commits in a row do not wait after one that waited in vain.
	maxSkipped = 63
)

// gathering decides how long the committer waits for more requests to share a commit. Senders
// that were answered come back at once while they have more; without waiting for them, half of
// them would always be one commit behind the others, and each commit half as large as it could
// be. A single sender never waits, nor do senders that take their time.
type gathering struct {
	expected int           // requests, when everyone comes back who was here
	patience time.Duration // how long to wait for them
	skip     int           // commits that do not wait yet
	skipped  int           // the last skip
}

// committed notes a commit of n requests, while waiting more came in.
func (g *gathering) committed(n, waiting int, took time.Duration) {
	g.expected, g.patience = n+waiting, min(took, maxPatience)
}

// worthwhile says whether n requests, of so many bytes, wait for more.
func (g *gathering) worthwhile(n, bytes int) bool {
	return n > 0 && n < g.expected && bytes < enoughBytes
}

// began says whether this commit waits at all.
func (g *gathering) begin() bool {
	if g.skip > 0 {
		g.skip--
		return false
	}
	return true
}

// ended notes whether waiting was of use.
func (g *gathering) ended(inVain bool) {
	if !inVain {
		g.skipped = 0
		return
	}
	g.skipped = min(2*g.skipped+1, maxSkipped)
	g.skip = g.skipped
}
