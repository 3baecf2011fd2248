package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// load is what senders do to every peer.
type load struct {
	Size        string `json:"size"`
	Protocol    string `json:"protocol"`
	Events      int    `json:"events_per_request"`
	Connections int    `json:"connections"`
	Readers     int    `json:"readers,omitempty"`
}

func (l load) String() string {
	s := fmt.Sprintf("%s %s %d × %d", l.Size, l.Protocol, l.Events, l.Connections)
	if l.Readers > 0 {
		s += fmt.Sprintf(", %d readers", l.Readers)
	}
	return s
}

// allLoads are events of a middle size in requests of all kinds, with both protocols, and the other
// sizes in two of them.
func allLoads() []load {
	var all []load
	for _, protocol := range []string{"http", "grpc"} {
		for _, shape := range [][2]int{{1000, 4}, {100, 4}, {100, 32}, {10, 64}, {1, 8}} {
			all = append(all, load{"middle", protocol, shape[0], shape[1], 0})
		}
	}
	for _, size := range []string{"small", "large"} {
		all = append(all, load{size, "http", 1000, 4, 0}, load{size, "http", 100, 4, 0})
	}
	return append(all, load{"middle", "http", 100, 4, 10})
}

func loadNames() []string {
	var names []string
	for _, l := range allLoads() {
		names = append(names, l.String())
	}
	return names
}

// chosenLoads are those with the wanted text in their names.
func (o options) chosenLoads() []load {
	var chosen []load
	for _, l := range allLoads() {
		if strings.Contains(l.String(), o.loads) {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// cell is one peer under one load in one round.
type cell struct {
	EventsPerSecond number            `json:"events_per_second"`
	CPU             number            `json:"cpu_us_per_event"` // of all its processes
	CPUOf           map[string]number `json:"cpu_us_per_event_by_process,omitempty"`
	Ratio           number            `json:"cpu_ratio_to_floor"` // within the round
	PeakRSS         number            `json:"peak_rss_bytes"`
	P50             number            `json:"answer_p50_ms"`
	P99             number            `json:"answer_p99_ms"`
	Requests        int               `json:"requests"`
	Failed          int               `json:"failed_requests"`
	Failure         string            `json:"failure,omitempty"`
	ClientCPU       number            `json:"client_cpu_us_per_event"` // what the load itself takes from the same cores
	Pages           int               `json:"pages_read,omitempty"`
	FailedPages     int               `json:"pages_failed,omitempty"`
}

// series are the cells of one peer under one load, a round each.
type series struct {
	Load          load   `json:"load"`
	BytesPerEvent int    `json:"bytes_per_event"` // in OTLP
	Peer          string `json:"peer"`
	Title         string `json:"title"`
	Rounds        []cell `json:"rounds"`
}

// of is the spread of one number over the rounds.
func (s series) of(get func(cell) number) spread {
	var samples []float64
	for _, c := range s.Rounds {
		samples = append(samples, float64(get(c)))
	}
	return spreadOf(samples)
}

// measureLoads runs every load through every peer, one after the other within a round, and each
// round anew.
func measureLoads(ctx context.Context, l *lab) (section, error) {
	peers, err := l.launchPeers(ctx)
	if err != nil {
		return section{}, err
	}
	var all []series
	for _, load := range l.chosenLoads() {
		for _, p := range peers {
			if p.takes(load) {
				all = append(all, series{Load: load, Peer: p.Key, Title: p.Title})
			}
		}
	}
	for round := range l.rounds {
		for i := 0; i < len(all); {
			n := 1 // series of the same load
			for i+n < len(all) && all[i+n].Load == all[i].Load {
				n++
			}
			if err := l.measureRound(ctx, round, all[i:i+n], peers); err != nil {
				return section{}, err
			}
			i += n
		}
	}
	return section{Loads: all}, nil
}

// launchPeers starts all that are wanted; the floor always.
func (l *lab) launchPeers(ctx context.Context) ([]*peer, error) {
	var peers []*peer
	for i, s := range specs {
		if i > 0 && len(l.peers) > 0 && !slices.Contains(l.peers, s.Key) {
			continue
		}
		p, err := l.launch(ctx, s, l.gogc, nil)
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	for _, text := range l.others {
		p, err := otherPeer(text)
		if err != nil {
			return nil, err
		}
		if err := p.ready(ctx); err != nil {
			return nil, fmt.Errorf("-peer %s: %w", text, err)
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// takes tells whether a load is for this peer: some have no gRPC, and some cannot be read.
func (p *peer) takes(l load) bool {
	return (l.Protocol == "http" || p.grpc != "") && (l.Readers == 0 || p.api != "" || p.Key == specs[0].Key)
}

// reading is what goes on beside a load; end follows a begin without error.
type reading interface {
	begin(ctx context.Context) error
	end()
}

// measureRound is one load for each peer. Each round begins with another peer, so that none always
// comes after the same one.
func (l *lab) measureRound(ctx context.Context, round int, all []series, peers []*peer) error {
	load := all[0].Load
	w := newWriter(load.Size)
	requests := w.requests(load.Events)
	for i := range all {
		s := &all[(i+round)%len(all)]
		for _, p := range peers {
			if p.Key != s.Peer {
				continue
			}
			readers := &pageReaders{peer: p, number: load.Readers}
			c, err := l.measureCell(ctx, p, load, requests, readers)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.Title, load, err)
			}
			c.Pages, c.FailedPages = int(readers.pages.Load()), int(readers.failed.Load())
			s.BytesPerEvent = len(requests[0]) / load.Events
			s.Rounds = append(s.Rounds, c)
			l.say("round %d  %-28s %-48s %9.0f events/s %7.2f µs/event  failed %d %s", round+1, load, p.Title, c.EventsPerSecond, c.CPU, c.Failed, c.Failure)
		}
	}
	for i := range all {
		all[i].Rounds[round].Ratio = all[i].Rounds[round].CPU / all[0].Rounds[round].CPU
	}
	return nil
}

// measureCell runs one load through one peer: shortly to warm up, then for good. CPU time is what
// the peer takes until it is idle again, with what it puts off until after the answer.
func (l *lab) measureCell(ctx context.Context, p *peer, load load, requests [][]byte, beside reading) (cell, error) {
	connections, err := p.senders(load.Protocol, load.Connections)
	if err != nil {
		return cell{}, err
	}
	defer closeAll(connections)
	before, err := p.counted(ctx)
	if err != nil {
		return cell{}, err
	}
	warmUp := closedLoop(ctx, connections, requests, min(l.duration/4, time.Second))
	if err := quiet(ctx, p.procs); err != nil {
		return cell{}, err
	}
	if err := beside.begin(ctx); err != nil {
		return cell{}, err
	}
	meter, err := p.meter()
	if err != nil {
		beside.end()
		return cell{}, err
	}
	o := closedLoop(ctx, connections, requests, l.duration)
	clientTime := meter.client()
	beside.end()
	if err := quiet(ctx, p.procs); err != nil {
		return cell{}, err
	}
	events := o.answered * load.Events
	if err := p.holds(ctx, before, int64(events+warmUp.answered*load.Events)); err != nil {
		return cell{}, err
	}
	c := cell{
		EventsPerSecond: number(float64(events) / o.elapsed.Seconds()),
		P50:             o.latencies.percentile(50),
		P99:             o.latencies.percentile(99),
		Requests:        o.answered, Failed: o.failed, ClientCPU: perEvent(clientTime, events),
	}
	if o.err != nil {
		c.Failure = o.err.Error()
	}
	return c, meter.read(&c, events)
}
