package main

import "math"

// target is what the project wants to reach, and where the figure is that shows it.
type target struct {
	what  string
	want  string
	unit  string
	limit float64
	least bool // the limit is the least that is wanted, not the most
	got   func(all map[string]section) float64
}

// targets are those of the design.
var targets = []target{
	{"CPU per event beside the floor, on disk and synced: 1000 × 4", "≤ 1.20", "×", 1.20, false, ratio(1000, 4)},
	{"the same, 100 × 4", "≤ 1.45", "×", 1.45, false, ratio(100, 4)},
	{"the same, 100 × 32", "≤ 1.00", "×", 1.00, false, ratio(100, 32)},
	{"the same, the worst of all loads without readers", "< 1.00", "×", 1.00, false, worstRatio},
	{"p99 of a synced answer, 8 × 1, beside the disk's own sync", "≤ 2", "×", 2, false, figureOf("fsync", "ratio_p99")},
	{"pages as NDJSON, one client, warm", "≥ 1 000 000", "events/s", 1e6, true, figureOf("pages", "NDJSON, pages, warm")},
	{"pages as OTLP without filter", "≥ 5 000 000", "events/s", 5e6, true, figureOf("pages", "OTLP, pages, warm")},
	{"in memory, RSS per event beyond the first 100 MiB, GOGC=100", "≤ 200", "bytes", 200, false, figureOf("footprint", "memory_100")},
	{"the same, GOGC=25", "≤ 130", "bytes", 130, false, figureOf("footprint", "memory_25")},
	{"index in memory, full blocks, per event", "≤ 0.5", "bytes", 0.5, false, largestIndex},
	{"the index of a store of 1 000 000 blocks of one event", "≤ 32", "MiB", 32, false, figureOf("open", "whole_singles")},
	{"sent to seen in a live stream at 10 000 events/s, p99", "≤ 10", "ms", 10, false, figureOf("latency", "p99")},
	{"1000 idle viewers: CPU per event written, beside nobody", "≤ 1.05", "×", 1.05, false, figureOf("streams", "ratio_idle")},
	{"the event of an id in a big store on disk, warm", "≤ 50", "ms", 50, false, figureOf("find", "event_id_warm")},
	{"the ten events of a trace, spread over it", "≤ 50", "ms", 50, false, figureOf("find", "trace_id_warm")},
	{"ten events by a value of their data, spread over it", "≤ 300", "ms", 300, false, figureOf("find", "data_warm")},
	{"ten events by a word, spread over it", "≤ 300", "ms", 300, false, figureOf("find", "text_warm")},
	{"counts by type over time, the whole store", "≤ 50", "ms", 50, false, figureOf("find", "counts_warm")},
	{"the event of an id, with nothing in the page cache", "≤ 2000", "ms", 2000, false, figureOf("find", "event_id_cold")},
	{"the side index, by the size of the events", "≤ 25", "%", 25, false, figureOf("find", "share")},
}

// verdict compares a figure with the target.
func (t target) verdict(got float64) string {
	switch {
	case math.IsNaN(got):
		return "not measured"
	case t.least && got >= t.limit, !t.least && got <= t.limit:
		return "reached"
	default:
		return "**not reached**"
	}
}

// ratio is that of our store on disk, for events of middle size over HTTP.
func ratio(events, connections int) func(map[string]section) float64 {
	return func(all map[string]section) float64 {
		for _, s := range all["loads"].Loads {
			if s.Peer == "disk" && s.Load == (load{"middle", "http", events, connections, 0}) {
				return s.of(cellRatio).Median
			}
		}
		return math.NaN()
	}
}

func worstRatio(all map[string]section) float64 {
	worst := math.NaN()
	for _, s := range all["loads"].Loads {
		if s.Peer != "disk" || s.Load.Readers > 0 {
			continue
		}
		if r := s.of(cellRatio).Median; math.IsNaN(worst) || r > worst {
			worst = r
		}
	}
	return worst
}

// figureOf is the median of a part's figure.
func figureOf(part, key string) func(map[string]section) float64 {
	return func(all map[string]section) float64 {
		for _, f := range all[part].Figures {
			if f.Key == key {
				return f.spread().Median
			}
		}
		return math.NaN()
	}
}

// largestIndex is that of the largest store that was opened.
func largestIndex(all map[string]section) float64 {
	if large := figureOf("open", "index_large")(all); !math.IsNaN(large) {
		return large
	}
	return figureOf("open", "index_full")(all)
}
