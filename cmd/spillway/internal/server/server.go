package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"golang.org/x/net/netutil"

	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// A Server is a Log and its Fanout over HTTP. It comes from New, is served by Serve, and ended by Shutdown, which waits for its
// goroutines: that of the journal, of activity, and of the tree.
type Server struct {
	o       Options
	fanout  *core.Fanout[core.Envelope]
	journal *cursor.Journal

	streams   *sse.Handler
	followers *prometheus.Followers
	follows   follows
	activity  *activity
	tree      *tree
	ingests   *ingests
	clients   *clients
	sessions  *sessions
	hosts     *hosts
	requests  *requests

	http *http.Server
	stop stopping
}

// Name is that of the fan-out, the journal and the log in metrics.
const Name = "events"

// New returns a Server that will be served by a listener at that address. Where it fails the log is still the caller's.
func New(at net.Addr, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	port := "0"
	if tcp, ok := at.(*net.TCPAddr); ok {
		port = strconv.Itoa(tcp.Port)
	}
	s := &Server{o: o, hosts: newHosts(o, port), sessions: newSessions(o.Bounds, port, o.TLS), requests: newRequests()}
	s.clients = newClients(o.Bounds)
	s.ingests = newIngests(o.Bounds, s.clients)
	s.activity = newActivity(s.figures)
	s.fanout = core.New(core.Config[core.Envelope]{
		Name: Name, Locate: core.Envelope.Point, SingleWriter: true,
		Observer: observers{debug.Log(o.Logger), s.activity},
	})
	s.followers = prometheus.NewFollowers(Name, o.Log)
	s.streams, err = sse.NewHandler(sse.Options{
		Fanout: s.fanout, Log: o.Log, Buffer: o.Bounds.Buffer, Heartbeat: o.Bounds.Heartbeat, WriteTimeout: o.Bounds.Write, Retry: o.Bounds.Retry,
		Streams: o.Bounds.Streams, StreamsPerClient: o.Bounds.StreamsPerClient, Regions: o.Bounds.Regions,
		Client: address, Select: regionsOf, Notices: s.activity.watch, Logger: o.Logger,
		Followed: func(f *cursor.Follower) {
			s.followers.Add(f)
			s.follows.add(f)
		},
	})
	if err != nil {
		return nil, err
	}
	s.journal = cursor.NewJournal(o.Log, s.fanout, cursor.JournalOptions{Name: Name})
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: o.Bounds.Header,
		IdleTimeout:       o.Bounds.Idle,
		MaxHeaderBytes:    1 << 15,
		// A client that reads nothing more of its connection, whatever its streams do, holds it for so long.
		HTTP2:    &http.HTTP2Config{WriteByteTimeout: o.Bounds.Write, SendPingTimeout: o.Bounds.Idle, PingTimeout: o.Bounds.Write},
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true,
	}
	s.activity.start()
	s.tree = growTree(o.Log, o.Bounds.Names, o.Logger)
	return s, nil
}

// Serve answers what comes by l, until Shutdown. Where accepting fails for a while, as it does without descriptors, it tries again later.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(netutil.LimitListener(l, s.o.Bounds.Connections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeTLS is Serve by TLS, with the certificate and key in two files.
func (s *Server) ServeTLS(l net.Listener, certificate, key string) error {
	err := s.http.ServeTLS(netutil.LimitListener(l, s.o.Bounds.Connections), certificate, key)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// observers are told one after the other.
type observers struct {
	log      core.LagObserver
	activity *activity
}

func (o observers) Subscribed(i core.Info) { o.log.Subscribed(i) }
func (o observers) Lagging(i core.Info)    { o.log.Lagging(i) }
func (o observers) Ended(i core.Info, cause error) {
	o.log.Ended(i, cause)
	o.activity.ended(i, cause)
}

// failed returns why nothing more is appended; nil while it is.
func (s *Server) failed(ctx context.Context) error {
	if err := s.journal.Err(); err != nil {
		return err
	}
	_, err := s.o.Log.Bounds(ctx)
	return err
}
