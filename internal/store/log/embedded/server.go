// Package embedded runs a NATS JetStream server inside this process, without opening
// a port.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Options configure a Server.
type Options struct {
	// Directory is where JetStream keeps its files; empty is a private temporary
	// directory, removed at Close, for streams in memory.
	Directory string
	// SyncInterval is how often files are synced; zero syncs before every answer.
	SyncInterval time.Duration
	Logger       *zap.Logger
}

// ErrInUse means that another process has the directory open.
var ErrInUse = errors.New("in use by another process")

// ErrInUseHere means that this process has the directory open already.
var ErrInUseHere = errors.New("in use by another store of this process")

// Server is a running JetStream server.
type Server struct {
	ns        *server.Server
	jetStream server.JetStreamConfig
	lock      *flock.Flock
	temp      string       // removed at Close
	doubts    atomic.Int32 // doubtful answers of the health check in a row
	files     []file       // that stay the same while the server runs
	release   func()       // of the directory's name; nil without
}

// readyTimeout bounds the start of the server's own routines, which does not depend on
// how much is stored.
const readyTimeout = 10 * time.Second

// Start opens the directory and starts the server. Two servers on one directory would
// destroy each other's files, so it is locked: ErrInUse.
func Start(o Options) (_ *Server, err error) {
	s := &Server{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if o.Directory == "" {
		if s.temp, err = os.MkdirTemp("", "isbl-telemetry-"); err != nil {
			return nil, err
		}
		o.Directory = s.temp
	} else if err = s.open(o.Directory); err != nil {
		return nil, err
	}

	opts := &server.Options{
		ServerName: "isbl-telemetry",
		DontListen: true,
		NoSigs:     true,
		StoreDir:   o.Directory,
		SyncAlways: o.SyncInterval == 0,
	}
	if o.SyncInterval > 0 {
		opts.SyncInterval = o.SyncInterval
	}
	if s.ns, err = server.NewServer(opts); err != nil {
		return nil, err
	}
	s.ns.SetLoggerV2(logger{o.Logger.Sugar()}, false, false, false)
	s.ns.Start()
	if !s.ns.ReadyForConnections(readyTimeout) {
		return nil, errors.New("the embedded NATS server did not start")
	}
	// With Options.JetStream at its start, a bad directory would end the process; enabling
	// it here returns errors. The server's health looks at JetStream only with the option.
	opts.JetStream = true
	s.jetStream = server.JetStreamConfig{
		StoreDir:     o.Directory,
		SyncAlways:   opts.SyncAlways,
		SyncInterval: opts.SyncInterval,
		MaxMemory:    math.MaxInt64 / 2, // the stream has limits of its own
		MaxStore:     math.MaxInt64 / 2,
	}
	if err = s.enableJetStream(); err != nil {
		return nil, err
	}
	return s, s.rememberFiles()
}

func (s *Server) enableJetStream() error {
	cfg := s.jetStream // the server changes what it is given
	if err := s.ns.EnableJetStream(&cfg); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	return nil
}

func (s *Server) open(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return directoryError(dir, err)
	}
	s.lock = flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o640))
	locked, err := s.lock.TryLock()
	if err != nil {
		return directoryError(dir, err)
	}
	if !locked {
		s.lock = nil
		return inUse(dir)
	}
	s.release = hold(dir)
	_ = os.Remove(filepath.Join(dir, probeFile)) // a crash may have left it
	return nil
}

func directoryError(dir string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the path is named once, and whole
	}
	return fmt.Errorf("storage directory %q cannot be opened: %w", dir, err)
}

// Connect returns a connection to the server that needs no network.
func (s *Server) Connect(_ context.Context, name string, opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(opts, nats.Name(name), nats.InProcessServer(s.ns))...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	return nc, nil
}

// ConnectTo fails: there are no other servers.
func (s *Server) ConnectTo(_, _ string) (*nats.Conn, error) { return nil, errors.ErrUnsupported }

// Close stops the server and waits for it. Call it once, after the connections are
// closed.
func (s *Server) Close() {
	if s.ns != nil {
		s.ns.Shutdown()
		s.ns.WaitForShutdown()
	}
	if s.lock != nil {
		_ = s.lock.Unlock() // closing the file at the end of the process does the same
	}
	if s.release != nil {
		s.release()
	}
	if s.temp != "" {
		_ = os.RemoveAll(s.temp)
	}
}
