package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cursor"
)

// Options say what a Server serves, to whom, and how much of it. Log and Hosts have no default.
type Options struct {
	Log cursor.Log // the Server's from then on: Shutdown closes it

	// Hosts are the names and addresses by which the Server may be asked, each with its port; without one, that is the listener's, or
	// what goes without saying. Requests that name another are refused: a page elsewhere has made its own name lead here.
	Hosts []string
	// AnyAddress has any address do besides, as one that is a number can't be made to lead here.
	AnyAddress bool

	Tokens *Tokens // nil: everybody may do everything
	TLS    bool    // requests come by TLS

	Bounds Bounds
	Logger *slog.Logger // nil: nobody is told
}

// Bounds are how much there is of what clients can use up. What is 0 is the default.
type Bounds struct {
	Connections      int           // 16,384
	Streams          int           // 8,192 at one time; the next is answered 503
	StreamsPerClient int           // 64; the next is answered 429
	Regions          int           // of a stream: 16
	Shapes           int           // that the regions of one client have together: 32
	Buffer           int           // events that wait for a stream before it reads the log: 256
	Ingests          int           // requests with events at one time: 64; the next is answered 503
	IngestsPerClient int           // 16; the next is answered 429
	Answers          int           // pages and lists under way at one time: 64; the next is answered 503
	AnswersPerClient int           // 16; the next is answered 429
	Rate             float64       // requests a second of one client: 10,000, and as many at once
	Clients          int           // of which something is known: 16,384
	Sessions         int           // 4,096
	Names            int           // of the tree of entities: 100,000
	Ingest           ingest.Limits // of one request with events

	Header    time.Duration // for a request's header: 5 seconds
	Body      time.Duration // for a body, or one line of a stream of them: 30 seconds
	Idle      time.Duration // between two requests, or two lines: 2 minutes
	Write     time.Duration // for a response, or one batch of a stream: 10 seconds
	Heartbeat time.Duration // of a quiet stream: 15 seconds
	Retry     time.Duration // before a stream's client comes back, on average: 2 seconds
	Session   time.Duration // how long a browser may go on without doing anything: an hour
}

const megabyte = 1 << 20

func (b Bounds) withDefaults() Bounds {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&b.Connections, 1 << 14},
		{&b.Streams, 1 << 13},
		{&b.StreamsPerClient, 64},
		{&b.Regions, 16},
		{&b.Shapes, 32},
		{&b.Buffer, 256},
		{&b.Ingests, 64},
		{&b.IngestsPerClient, 16},
		{&b.Answers, 64},
		{&b.AnswersPerClient, 16},
		{&b.Clients, 1 << 14},
		{&b.Sessions, 1 << 12},
		{&b.Names, 100_000},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&b.Header, 5 * time.Second},
		{&b.Body, 30 * time.Second},
		{&b.Idle, 2 * time.Minute},
		{&b.Write, 10 * time.Second},
		{&b.Heartbeat, 15 * time.Second},
		{&b.Retry, 2 * time.Second},
		{&b.Session, time.Hour},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if b.Rate <= 0 {
		b.Rate = 10_000
	}
	b.Ingest = b.Ingest.WithDefaults()
	return b
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Log == nil:
		return o, errors.New("there is no log to serve")
	case len(o.Hosts) == 0 && !o.AnyAddress:
		return o, errors.New("there is no host by which the server may be asked")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Bounds = o.Bounds.withDefaults()
	if limits := o.Log.Limits(); limits.Payload > 0 { // nobody is let send what the log then refuses
		o.Bounds.Ingest.Payload = min(o.Bounds.Ingest.Payload, limits.Payload)
	}
	if limits := o.Log.Limits(); limits.Batch > 0 {
		o.Bounds.Ingest.Events = min(o.Bounds.Ingest.Events, limits.Batch)
	}
	if o.Bounds.StreamsPerClient > o.Bounds.Streams {
		o.Bounds.StreamsPerClient = o.Bounds.Streams
	}
	for _, h := range o.Hosts {
		if _, _, err := splitHost(h); err != nil {
			return o, fmt.Errorf("the host %q: %w", h, err)
		}
	}
	return o, nil
}
