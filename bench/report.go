package main

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
)

var (
	//go:embed performance.md.tmpl
	summaryText string
	//go:embed results.md.tmpl
	resultsText string

	// summaryPage is docs/performance.md, resultsPage the page with all tables.
	summaryPage = template.Must(template.New("performance.md").Parse(summaryText))
	resultsPage = template.Must(template.New("results.md").Parse(resultsText))
)

// report returns the summary and the page with all tables, of everything that was measured.
func report(all map[string]section) (summary, results string, err error) {
	var newest section
	var sections []string
	for _, p := range parts {
		s, ok := all[p.name]
		if !ok {
			continue
		}
		if s.Measured.After(newest.Measured) || newest.Part == "" {
			newest = s
		}
		sections = append(sections, sectionText(p, s))
	}
	var short, full struct {
		Machine, Targets, Summary string
		Sections                  []string
	}
	short.Targets, short.Summary, full.Sections = targetRows(all), summaryTable(all["loads"].Loads), sections
	if newest.Part != "" {
		m := newest.Machine
		short.Machine = fmt.Sprintf("Measured %s on %s, %d cores, %s, %s.",
			newest.Measured.Format(time.DateOnly), m.CPU, m.Cores, m.Memory, m.Go)
		full.Machine = machineTable(m)
	}
	var b, c strings.Builder
	err = errors.Join(summaryPage.Execute(&b, short), resultsPage.Execute(&c, full))
	return b.String(), c.String(), err
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
	fmt.Fprintf(&b, "\nMeasured %s at revision %s in %s: `%s` (rounds: %d, of %s each, GOGC=%s, GOMEMLIMIT %s). Raw figures: [%s.json](%s.json).\n",
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

// targetRows are the rows of the summary's table of targets.
func targetRows(all map[string]section) string {
	var t table
	for _, one := range targets {
		got := one.got(all)
		t.add(one.what, one.want, short(got), one.unit, one.verdict(got))
	}
	return t.body()
}

func cellRatio(c cell) number { return c.Ratio }

// summaryTable has the ratios of the loads that the summary shows, without ranges.
func summaryTable(all []series) string {
	loads, peers, titles := axes(all)
	if len(peers) < 2 {
		return ""
	}
	t := table{head: []string{"events a request × connections"}}
	for i, p := range peers[1:] {
		t.head = append(t.head, titles[p])
		t.right = append(t.right, i+1)
	}
	for _, l := range loads {
		if l.Size != "middle" || l.Protocol != "http" {
			continue
		}
		name, _ := strings.CutPrefix(l.String(), "middle http ")
		row := []string{name}
		for _, p := range peers[1:] {
			row = append(row, short(find(all, l, p).of(cellRatio).Median))
		}
		t.add(row...)
	}
	return t.String()
}

// axes returns the loads and the peers that were measured, in order, and the titles of the peers.
func axes(all []series) (loads []load, peers []string, titles map[string]string) {
	titles = map[string]string{}
	for _, s := range all {
		if !slices.Contains(loads, s.Load) {
			loads = append(loads, s.Load)
		}
		if !slices.Contains(peers, s.Peer) {
			peers = append(peers, s.Peer)
			titles[s.Peer] = s.Title
		}
	}
	return loads, peers, titles
}

// loadTables are one table of ratios, loads by peers, and one table for each load.
func loadTables(all []series) string {
	var b strings.Builder
	loads, peers, titles := axes(all)
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
