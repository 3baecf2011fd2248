package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

const logsPath = "/v1/logs"

//go:embed configs
var configs embed.FS

var templates = template.Must(template.New("").Option("missingkey=error").ParseFS(configs, "configs/*"))

// spec is a kind of server that this program can start.
type spec struct {
	Key, Title string
	ours       bool // our binary, with an API to read from
	sink, nats bool // what it needs beside it
}

// specs are the peers, in the order of the report. The first is the floor, with which all others
// are compared.
var specs = []spec{
	{Key: "floor", Title: "stock: otlp → nop (the floor)"},
	{Key: "file", Title: "stock: filter → sampler → batch → file, no sync"},
	{Key: "queue", Title: "stock: persistent queue, fsync", sink: true},
	{Key: "memory", Title: "ours, in memory", ours: true},
	{Key: "disk", Title: "ours, on disk, synced", ours: true},
	{Key: "nats", Title: "ours, with a nats-server, synced", ours: true, nats: true},
}

func specKeys() []string {
	var keys []string
	for _, s := range specs {
		keys = append(keys, s.Key)
	}
	return keys
}

func specOf(key string) spec {
	for _, s := range specs {
		if s.Key == key {
			return s
		}
	}
	panic("no peer " + key)
}

// values are what a configuration's template is filled with.
type values struct {
	HTTP, GRPC, API, NATS, Sink string // host:port
	Metrics                     string // a port
	Data                        string // a folder
	MaxBytes                    string // retention of ours
	Sync                        string // of ours on disk
}

// measured is a process whose CPU time and memory count.
type measured struct {
	name string
	pid  int
}

// peer is a server that runs.
type peer struct {
	Key, Title      string
	http, grpc, api string // host:port; "" where it has none
	path            string // of OTLP over HTTP
	procs           []measured

	values  values
	dir     string
	main    *process
	restart func(ctx context.Context) error
}

// launch starts a peer, and what it needs beside it, in a folder of its own. With change, its
// configuration can differ, and with gogc its garbage collection.
func (l *lab) launch(ctx context.Context, s spec, gogc int, change func(*values)) (*peer, error) {
	p := &peer{Key: s.Key, Title: s.Title, path: logsPath}
	var err error
	if p.dir, err = os.MkdirTemp(l.dir, s.Key+"-"); err != nil {
		return nil, err
	}
	v := values{Data: filepath.Join(p.dir, "data"), MaxBytes: "2GiB", Sync: "always"}
	if s.Key == "memory" {
		v.MaxBytes = "256MiB"
	}
	if err := os.Mkdir(v.Data, 0o700); err != nil {
		return nil, err
	}
	if err := freePorts(&v.HTTP, &v.GRPC, &v.API, &v.NATS, &v.Metrics); err != nil {
		return nil, err
	}
	_, v.Metrics, _ = net.SplitHostPort(v.Metrics)
	if change != nil {
		change(&v)
	}
	if s.sink {
		sink, err := l.launch(ctx, specOf("floor"), gogc, nil)
		if err != nil {
			return nil, err
		}
		v.Sink = sink.http
	}
	if s.nats {
		server, err := l.launchNATS(ctx, p.dir, v, gogc)
		if err != nil {
			return nil, err
		}
		p.procs = append(p.procs, measured{"nats-server", server.pid()})
	}
	p.http, p.grpc, p.values = v.HTTP, v.GRPC, v
	binary := l.stock
	if s.ours {
		binary, p.api = l.ours, v.API
	}
	config, err := render(p.dir, s.Key+".yaml", v)
	if err != nil {
		return nil, err
	}
	beside := p.procs
	p.restart = func(ctx context.Context) error {
		if p.main != nil {
			if err := p.main.stop(); err != nil {
				return err
			}
		}
		if p.main, err = startProcess(s.Title, filepath.Join(p.dir, "log"), gogc, binary, "--config", config); err != nil {
			return err
		}
		l.started(p.main)
		p.procs = append([]measured{{"collector", p.main.pid()}}, beside...)
		return p.main.await(ctx, 10*time.Minute, p.ready)
	}
	return p, p.restart(ctx)
}

// launchNATS starts a nats-server with JetStream.
func (l *lab) launchNATS(ctx context.Context, dir string, v values, gogc int) (*process, error) {
	config, err := render(dir, "nats-server.conf", v)
	if err != nil {
		return nil, err
	}
	server, err := startProcess("nats-server", filepath.Join(dir, "nats-server.log"), gogc, l.natsServer, "-c", config)
	if err != nil {
		return nil, err
	}
	l.started(server)
	return server, server.await(ctx, 30*time.Second, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", v.NATS)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// ready tells whether the peer takes requests, and where it can be read, answers there.
func (p *peer) ready(ctx context.Context) error {
	if p.api != "" {
		if _, err := p.stats(ctx); err != nil {
			return err
		}
	}
	s := newHTTPSender(p.http, p.path)
	defer s.Close()
	return s.send(nil) // an empty OTLP request
}

// stop ends the peer; its data stays.
func (p *peer) stop() error {
	if p.main == nil {
		return nil
	}
	return p.main.stop()
}

// render fills in a template of the configs folder.
func render(dir, name string, v values) (string, error) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, v); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, b.Bytes(), 0o600)
}

// freePorts finds as many addresses on this machine where nothing listens. They are held until all
// are found, so that no two are the same.
func freePorts(addresses ...*string) (err error) {
	for _, address := range addresses {
		listener, listenErr := net.Listen("tcp", "127.0.0.1:0")
		if listenErr != nil {
			return fmt.Errorf("find a free port: %w", listenErr)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		*address = listener.Addr().String()
	}
	return nil
}
