package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags, and the sizes that follow from them.
type options struct {
	ours, stock, natsServer string // paths of the binaries
	only                    []string
	peers, others           []string // keys of the peers, and `name=url[,pid]` of servers that run already
	loads                   string
	duration                time.Duration
	rounds                  int
	gogc                    int
	large                   bool
	dir, results, doc       string
	printOnly, reportOnly   bool
	sizes
}

// sizes say how much is stored before something is read from it.
type sizes struct {
	events, openEvents, findEvents, memoryEvents, singles, viewers int
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.ours, "ours", "bin/otelcol-isbl", "our `binary`")
	f.StringVar(&o.stock, "stock", "build/stock/otelcol-stock", "the stock collector's `binary`")
	f.StringVar(&o.natsServer, "nats-server", "build/nats-server", "the `binary` of nats-server")
	f.Func("only", "measure only these `parts`: "+strings.Join(partNames(), ","), list(&o.only))
	f.Func("peers", "compare only these `peers` with the floor: "+strings.Join(specKeys(), ","), list(&o.peers))
	f.Func("peer", "a further server, as `name=url[,pid]`: its OTLP/HTTP endpoint, and its process if it runs here; repeatable", func(s string) error {
		o.others = append(o.others, s)
		return nil
	})
	f.StringVar(&o.loads, "loads", "", "only loads whose name contains this `text`, such as \"middle http\" or \"100 × 4\"")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "how long each measurement takes")
	f.IntVar(&o.rounds, "rounds", 5, "how often each is repeated; figures are medians")
	f.IntVar(&o.gogc, "gogc", 100, "GOGC of all peers; GOMEMLIMIT is unset")
	f.BoolVar(&o.large, "large", false, "also open 100 million events, and a million blocks of one event: minutes, and 20 GiB of disk")
	f.StringVar(&o.dir, "dir", "build", "`folder` for temporary data, on the disk that is to be measured")
	f.StringVar(&o.results, "results", "bench/results", "`folder` of the raw figures; a part that is measured again replaces its file")
	f.StringVar(&o.doc, "doc", "docs/performance.md", "the summary's `file`")
	f.BoolVar(&o.printOnly, "print", false, "print what this run measures, and write nothing")
	f.BoolVar(&o.reportOnly, "report", false, "measure nothing, and write the report of what was measured before")
	f.IntVar(&o.events, "events", 1_000_000, "`events` in the store that pages, filters and aggregates read")
	f.IntVar(&o.openEvents, "open-events", 10_000_000, "`events` in the store that is opened")
	f.IntVar(&o.findEvents, "find-events", 10_000_000, "`events` in the store that few are found in")
	f.IntVar(&o.memoryEvents, "memory-events", 3_000_000, "`events` in the store whose memory is measured")
	f.IntVar(&o.singles, "single-events", 1_000_000, "with -large: `events` that have a block each")
	f.IntVar(&o.viewers, "viewers", 1000, "the largest `number` of viewers")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	return o, o.check(f.Args())
}

// list reads a flag with commas.
func list(to *[]string) func(string) error {
	return func(s string) error {
		*to = append(*to, strings.Split(s, ",")...)
		return nil
	}
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func (o options) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected %q: all arguments are flags", rest)
	}
	for _, name := range o.only {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("-only: there is no part %q; write some of %s", name, strings.Join(partNames(), ","))
		}
	}
	for _, key := range o.peers {
		if !slices.Contains(specKeys(), key) {
			return fmt.Errorf("-peers: there is no peer %q; write some of %s", key, strings.Join(specKeys(), ","))
		}
	}
	for _, other := range o.others {
		if _, err := otherPeer(other); err != nil {
			return err
		}
	}
	if o.rounds < 1 || o.duration <= 0 || o.events < 1000 || o.openEvents < 1000 || o.findEvents < 1000 || o.memoryEvents < 1000 || o.singles < 1 || o.viewers < 1 {
		return errors.New("-rounds, -duration, and the numbers of events and viewers must be positive; of events at least 1000")
	}
	if len(o.loads) > 0 && len(o.chosenLoads()) == 0 {
		return fmt.Errorf("-loads: no load has %q in its name; they are %q", o.loads, loadNames())
	}
	return nil
}

// wants tells whether a part is to be measured.
func (o options) wants(part string) bool {
	return !o.reportOnly && (len(o.only) == 0 || slices.Contains(o.only, part))
}

// checkBinaries says what to do about binaries that are not there. Only the loads need those of
// others.
func (o options) checkBinaries() error {
	var needed []string
	if !o.reportOnly {
		needed = append(needed, o.ours)
	}
	if o.wants("loads") {
		needed = append(needed, o.stock, o.natsServer)
	}
	for _, path := range needed {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: `make bench-peers` builds it", err)
		}
	}
	return nil
}

// settings are what a reader of the report must know about the run.
func (o options) settings() settings {
	return settings{Rounds: o.rounds, Duration: o.duration.String(), GOGC: strconv.Itoa(o.gogc), GOMEMLIMIT: "unset"}
}

// otherPeer reads `name=url[,pid]`.
func otherPeer(s string) (*peer, error) {
	name, rest, ok := strings.Cut(s, "=")
	address, pid, hasPID := strings.Cut(rest, ",")
	u, err := url.Parse(address)
	if !ok || err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("-peer %q: write name=http://host:port/path or name=http://host:port/path,pid", s)
	}
	p := &peer{Key: name, Title: name, http: u.Host, path: u.RequestURI()}
	if u.Path == "" || u.Path == "/" {
		p.path = logsPath
	}
	if hasPID {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return nil, fmt.Errorf("-peer %q: %q is no process id", s, pid)
		}
		p.procs = []measured{{name, n}}
	}
	return p, nil
}
