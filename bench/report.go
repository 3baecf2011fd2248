package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed performance.md.tmpl
var pageText string

// page is docs/performance.md: the hand-written introduction, and where the tables go.
var page = template.Must(template.New("performance.md").Parse(pageText))

// report is the whole page, of all that was measured.
func report(all map[string]section) (string, error) {
	var b strings.Builder
	data := struct {
		Machine, Targets string
		Sections         []string
	}{Targets: targetTable(all)}
	var newest section
	for _, p := range parts {
		s, ok := all[p.name]
		if !ok {
			continue
		}
		if s.Measured.After(newest.Measured) || newest.Part == "" {
			newest = s
		}
		data.Sections = append(data.Sections, sectionText(p, s))
	}
	if newest.Part != "" {
		data.Machine = machineTable(newest.Machine)
	}
	err := page.Execute(&b, data)
	return b.String(), err
}

// sectionText is a part with its heading, its tables, and how they came to be.
func sectionText(p part, s section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", p.title)
	if len(s.Loads) > 0 {
		b.WriteString(loadTables(s.Loads))
	}
	if len(s.Figures) > 0 {
		b.WriteString(figureTable(s.Figures))
	}
	fmt.Fprintf(&b, "\nMeasured %s at revision %s in %s: `%s` (rounds: %d, of %s each, GOGC=%s, GOMEMLIMIT %s). Raw figures: [%s.json](../bench/results/%s.json).\n",
		s.Measured.Format(time.DateOnly), s.Machine.Revision, s.Took, s.Command, s.Settings.Rounds, s.Settings.Duration, s.Settings.GOGC, s.Settings.GOMEMLIMIT, p.name, p.name)
	return b.String()
}

// figureTable has a row and a column for each that the figures name.
func figureTable(all []figure) string {
	t := table{head: []string{""}}
	cells := map[[2]string]string{}
	var rows []string
	for _, f := range all {
		if !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
		if !slices.Contains(t.head, f.Column) {
			t.right = append(t.right, len(t.head))
			t.head = append(t.head, f.Column)
		}
		cells[[2]string{f.Row, f.Column}] = ranged(f.spread())
	}
	for _, name := range rows {
		row := []string{name}
		for _, column := range t.head[1:] {
			row = append(row, cells[[2]string{name, column}])
		}
		t.add(row...)
	}
	return t.String()
}

func machineTable(m machine) string {
	t := table{head: []string{"", ""}}
	t.add("CPU", fmt.Sprintf("%s, %d cores", m.CPU, m.Cores))
	t.add("memory", m.Memory)
	t.add("kernel", m.Kernel)
	t.add("disk", m.FileSystem)
	t.add("Go", m.Go)
	for _, name := range slices.Sorted(maps.Keys(m.Modules)) {
		t.add("`"+name+"`", m.Modules[name])
	}
	return t.String()
}

func targetTable(all map[string]section) string {
	t := table{head: []string{"", "target", "measured", "unit", ""}, right: []int{1, 2}}
	for _, one := range targets {
		got := one.got(all)
		t.add(one.what, one.want, short(got), one.unit, one.verdict(got))
	}
	return t.String()
}

func cellRatio(c cell) number { return c.Ratio }

// loadTables are one table of ratios, loads by peers, and one table for each load.
func loadTables(all []series) string {
	var b strings.Builder
	var loads []load
	var peers []string
	titles := map[string]string{}
	for _, s := range all {
		if !slices.Contains(loads, s.Load) {
			loads = append(loads, s.Load)
		}
		if !slices.Contains(peers, s.Peer) {
			peers = append(peers, s.Peer)
			titles[s.Peer] = s.Title
		}
	}
	overview := table{head: []string{"CPU per event beside the floor"}}
	for i, p := range peers[1:] {
		overview.head = append(overview.head, titles[p])
		overview.right = append(overview.right, i+1)
	}
	for _, l := range loads {
		row := []string{l.String()}
		for _, p := range peers[1:] {
			row = append(row, ranged(find(all, l, p).of(cellRatio)))
		}
		overview.add(row...)
	}
	if len(peers) > 1 {
		b.WriteString(overview.String())
	}
	for _, l := range loads {
		fmt.Fprintf(&b, "\n### %s\n\n", l)
		b.WriteString(loadTable(all, l).String())
	}
	return b.String()
}

// loadTable is what each peer did with one load.
func loadTable(all []series, l load) *table {
	t := &table{
		head:  []string{"", "events/s", "CPU µs per event", "× floor", "peak RSS MiB", "p50 ms", "p99 ms", "failed"},
		right: []int{1, 2, 3, 4, 5, 6, 7},
	}
	for _, s := range all {
		if s.Load != l {
			continue
		}
		failed := 0
		for _, c := range s.Rounds {
			failed += c.Failed + c.FailedPages
		}
		t.add(s.Title,
			ranged(s.of(func(c cell) number { return c.EventsPerSecond })), ranged(s.of(func(c cell) number { return c.CPU })), ranged(s.of(cellRatio)),
			short(s.of(func(c cell) number { return c.PeakRSS / (1 << 20) }).Median),
			short(s.of(func(c cell) number { return c.P50 }).Median), ranged(s.of(func(c cell) number { return c.P99 })), count(float64(failed)))
	}
	return t
}

func find(all []series, l load, peer string) series {
	for _, s := range all {
		if s.Load == l && s.Peer == peer {
			return s
		}
	}
	return series{}
}
