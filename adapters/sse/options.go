package sse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// Options say how a Handler streams. Fanout alone has no default; a field below 0 is refused.
type Options struct {
	// Fanout is where the events come from. Where there is a Log, it broadcasts what the Log has, as a Journal does, and has a
	// Locate.
	Fanout *core.Fanout[core.Envelope]

	// Log is what a client that comes back reads what it has missed from. Nil: it has missed that.
	Log cursor.Log

	// Buffer is how many events wait for one stream at most. One that has no room for the next reads the Log instead, or
	// without one it ends. 0 is 64.
	Buffer int

	// Heartbeat is after how long without a write a comment is sent, so that nobody in between takes the connection for a dead
	// one. 0 is 15 seconds.
	Heartbeat time.Duration

	// WriteTimeout is how long a client may take to take a batch. 0 is 10 seconds.
	WriteTimeout time.Duration

	// Retry is how long a client should wait before it comes back, on average: each is told something between a half of it and
	// one and a half. 0 is 2 seconds.
	Retry time.Duration

	// Streams is how many streams there are at a time; who comes next is answered 503. 0 is 16,384.
	Streams int

	// StreamsPerClient is how many of them are one client's; its next is answered 429. 0 is 64.
	StreamsPerClient int

	// Regions is how many Regions a stream may ask for. 0 is 16.
	Regions int

	// Client tells clients apart. Nil: by RemoteAddr's address, of IPv6 by its first 64 bits. Behind a proxy that is the
	// proxy.
	Client func(*http.Request) string

	// Select returns what a request asks for: its error is told the client, with 400. None at all is a stream of notices
	// alone. Nil: Query.
	Select func(*http.Request) ([]region.Region, error)

	// Data appends the data of an event, in UTF-8 if a browser is to read it. Where it fails the stream ends before that
	// event. Nil: AppendJSON.
	Data func(dst []byte, e core.Envelope) ([]byte, error)

	// Event names an event, as an EventSource's listeners do. Nil, or "": it has no name, which is "message" there. A name with a line
	// break, or one that begins with "spillway.", ends the stream as an error of Data does.
	Event func(e core.Envelope) string

	// Notices returns what goes into a request's stream between the events; nil: nothing does. It is sent to until ctx is over,
	// or closed. A notice has no id: who comes back gets those of then.
	Notices func(ctx context.Context, r *http.Request) <-chan Notice

	// Followed is told of each Follower that begins, as prometheus.Followers.Add is.
	Followed func(*cursor.Follower)

	// Reads is how many streams read the Log at one time, as FollowOptions.Reads. Nil: all Followers of the process share one.
	Reads *cursor.ReadLimit

	// ProgressEvery is as in FollowOptions.
	ProgressEvery time.Duration

	// Logger is told of what the owner should know: a stream that can't be. Nil: nobody is.
	Logger *slog.Logger
}

// A Notice is an event of a stream that is none of a log.
type Notice struct {
	Event string // its name; one that Options.Event may not give drops the notice
	Data  []byte // the stream's from then on
}

func (o Options) withDefaults() (Options, error) {
	if o.Fanout == nil {
		return o, errors.New("spillway/sse: Options.Fanout is nil; want the fan-out whose events are streamed")
	}
	if _, located := o.Fanout.Point(core.Envelope{}); o.Log != nil && !located {
		return o, cursor.ErrNoLocate
	}
	err := errors.Join(
		orDefault("Buffer", &o.Buffer, 64),
		orDefault("Streams", &o.Streams, 1<<14),
		orDefault("StreamsPerClient", &o.StreamsPerClient, 64),
		orDefault("Regions", &o.Regions, 16),
		orDefault("Heartbeat", &o.Heartbeat, 15*time.Second),
		orDefault("WriteTimeout", &o.WriteTimeout, 10*time.Second),
		orDefault("Retry", &o.Retry, 2*time.Second),
		orDefault("ProgressEvery", &o.ProgressEvery, 0),
	)
	if err != nil {
		return o, err
	}
	if o.Client == nil {
		o.Client = clientAddress
	}
	if o.Select == nil {
		o.Select = Query
	}
	if o.Data == nil {
		o.Data = AppendJSON
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func orDefault[N int | time.Duration](name string, value *N, byDefault N) error {
	if *value < 0 {
		return fmt.Errorf("spillway/sse: Options.%s is %v; want 0 for the default, or more", name, *value)
	}
	if *value == 0 {
		*value = byDefault
	}
	return nil
}

// clientAddress tells clients apart by where they come from. Whoever has an IPv6 address has 2^64 of them.
func clientAddress(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := from.Addr().Unmap().WithZone("")
	if address.Is6() {
		if net, err := address.Prefix(64); err == nil {
			return net.String()
		}
	}
	return address.String()
}
