package api

import (
	"mime"
	"slices"
	"strconv"
	"strings"
)

// media is a media type that an answer can have.
type media struct {
	name        string // value of the parameter format
	contentType string
	// aliases are other media types by which clients ask for it.
	aliases []string
}

// matches returns how closely a media range names m: 0 is not at all.
func (m *media) matches(mediaRange string) int {
	kind, _, _ := strings.Cut(m.contentType, "/")
	switch {
	case mediaRange == m.contentType, slices.Contains(m.aliases, mediaRange):
		return 3
	case mediaRange == kind+"/*":
		return 2
	case mediaRange == "*/*":
		return 1
	default:
		return 0
	}
}

// negotiate returns the index of the media type that the values of an Accept header like best, and
// of equals the one that is named most closely; -1 when they like none.
func negotiate(accept []string, from []*media) int {
	ranges := strings.Split(strings.Join(accept, ","), ",")
	if strings.TrimSpace(strings.Join(ranges, "")) == "" {
		return 0
	}
	best := -1
	var bestQuality float64
	var bestMatch int
	for i, m := range from {
		quality, match := m.quality(ranges)
		if quality > bestQuality || quality > 0 && quality == bestQuality && match > bestMatch {
			best, bestQuality, bestMatch = i, quality, match
		}
	}
	return best
}

// quality returns the quality that the closest range gives m, from 0 to 1.
func (m *media) quality(ranges []string) (quality float64, match int) {
	for _, r := range ranges {
		mediaRange, attributes, err := mime.ParseMediaType(r)
		if err != nil {
			continue // what we do not understand asks for nothing we have
		}
		if n := m.matches(mediaRange); n > match {
			match, quality = n, 1
			if q, err := strconv.ParseFloat(attributes["q"], 64); err == nil {
				quality = q
			}
		}
	}
	return quality, match
}
