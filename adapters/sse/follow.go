package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	parser "github.com/tmaxmax/go-sse"

	"github.com/spillwayhq/spillway/core"
)

// An Event is what a stream's client gets.
type Event struct {
	ID     string // the event's own; "" where it has none, as notices haven't
	LastID string // the last ID that came, its own included: what to give FollowOptions.After
	Name   string // "" where it has none
	Data   []byte // the reader's
}

// Envelope returns the event of a log, where Data is as AppendJSON writes it.
func (e *Event) Envelope() (core.Envelope, error) { return ParseJSON(e.Data) }

// FollowOptions are what Follow is told besides the URL. The zero FollowOptions work.
type FollowOptions struct {
	// Client makes the requests. Its Timeout would cut streams, so it had better have none. Nil: http.DefaultClient.
	Client *http.Client

	// Header is what each request has besides: a token, a cookie.
	Header http.Header

	// After is the ID of the last event that the caller has: the stream begins behind it.
	After string

	// From is where to begin, where After is "": at an ID, at a sequence, at "start" or "end". "": as the URL says.
	From string

	// Retry is how long to wait before coming back, until the server says something else; it doubles each time that nothing
	// came. 0 is a second.
	Retry time.Duration

	// MaxRetry is the longest wait, but for a half of it that is added at random, and for what a server asks for when it refuses a
	// request (Retry-After), which is believed up to five minutes. 0 is 30 seconds.
	MaxRetry time.Duration

	// Attempts is how often in a row a stream may fail to begin before the last failure is returned. 0 is any number.
	Attempts int

	// MaxEvent is how many bytes an event may have on the wire. 0 is 4 MiB.
	MaxEvent int

	// Idle is how long a stream may say nothing before it counts as lost: three heartbeats are well. 0 is 45 seconds.
	Idle time.Duration

	// Gaps has what retention has dropped come as an event of the name EventGap, and the stream go on with what is left. False: it
	// ends with a *GapError.
	Gaps bool

	// Progress is told a place, for From, wherever the stream has come without an event: where it begins, where its regions are quiet, and
	// behind a gap. The loop's body has had all that is before it. Nil: nobody is.
	Progress func(place string)

	// Retrying is told each time that it will come back, and why, before it waits. Nil: nobody is.
	Retrying func(cause error, wait time.Duration)
}

func (o FollowOptions) withDefaults() (FollowOptions, error) {
	err := errors.Join(
		orDefault("Retry", &o.Retry, time.Second),
		orDefault("MaxRetry", &o.MaxRetry, 30*time.Second),
		orDefault("Attempts", &o.Attempts, 0),
		orDefault("MaxEvent", &o.MaxEvent, 4<<20),
		orDefault("Idle", &o.Idle, 45*time.Second),
	)
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Retrying == nil {
		o.Retrying = func(error, time.Duration) {}
	}
	return o, err
}

// Follow returns the events of a stream as they come, and comes back whenever the connection is lost, behind the last event
// that it has handed out: none is missed and none comes twice. It waits in between, longer each time that nothing came, and
// never together with others.
//
// It ends with the cause of ctx, or else with why it is for nothing to come back: a *StatusError, which is ErrReplaced, ErrDenied or
// ErrStopped where it is one of those; a *GapError, where retention was quicker; a *LostError, where the stream has no log;
// ErrTooLong; ErrNoStream. It runs on the goroutine that ranges over it, starts none that outlives the loop, and may be ranged
// over again, from where it began.
func Follow(ctx context.Context, url string, o FollowOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f, err := newFollowing(ctx, url, o)
		if err != nil {
			yield(Event{}, err)
			return
		}
		f.run(ctx, yield)
	}
}

// A following is one range over Follow.
type following struct {
	o      FollowOptions
	url    *url.URL
	after  string // the ID of the last event,
	from   string // or, where this is set, a place behind it
	told   string // the last id of this connection, the stream's own included: an event without one has it from the parser
	retry  time.Duration
	failed int  // how often in a row nothing came
	begun  bool // a stream did
}

func newFollowing(ctx context.Context, address string, o FollowOptions) (*following, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("spillway/sse: %w", err)
	}
	f := &following{o: o, url: u, after: o.After, from: o.From, retry: o.Retry}
	if o.After != "" {
		f.from = ""
	}
	return f, nil
}

// errLeft is why a following ends whose loop was left.
var errLeft = errors.New("spillway/sse: the loop was left")

func (f *following) run(ctx context.Context, yield func(Event, error) bool) {
	for {
		since := time.Now()
		err := f.connect(ctx, yield)
		switch {
		case errors.Is(err, errLeft):
			return
		case ctx.Err() != nil:
			yield(Event{}, context.Cause(ctx))
			return
		case final(err):
			yield(Event{}, err)
			return
		case f.begun && f.after == "" && f.from == "":
			yield(Event{}, &LostError{Reason: err.Error()})
			return
		}
		if time.Since(since) > f.o.MaxRetry {
			f.failed = 0 // it was quiet, and there
		}
		f.failed++
		if f.o.Attempts > 0 && f.failed >= f.o.Attempts {
			yield(Event{}, err)
			return
		}
		wait := f.wait(err)
		f.o.Retrying(err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// longestRetryAfter is how long a server may keep a client away.
const longestRetryAfter = 5 * time.Minute

// wait is how long to wait, as the server and what came before have it.
func (f *following) wait(err error) time.Duration {
	wait := max(min(f.retry<<min(f.failed-1, 20), f.o.MaxRetry), 1)
	least := wait / 2
	if status, ok := errors.AsType[*StatusError](err); ok {
		least = max(least, min(status.RetryAfter, longestRetryAfter))
	}
	return least + rand.N(wait)
}

// connect makes one request and hands out what comes. It returns why no more does.
func (f *following) connect(ctx context.Context, yield func(Event, error) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(f.o.Idle, func() { cancel(errIdle) })
	defer idle.Stop()
	req, err := f.request(ctx)
	if err != nil {
		return &permanentError{err}
	}
	res, err := f.o.Client.Do(req)
	if err != nil {
		return cmpCause(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // nothing was written
	if err := checkStream(res); err != nil {
		return err
	}
	if from := res.Header.Get("Spillway-From"); from != "" && (f.after == "" || f.from != "") {
		f.progress(from)
	}
	f.begun, f.told = true, ""
	body := &watched{r: res.Body, alive: func() { idle.Reset(f.o.Idle) }, retry: f.heard}
	for e, err := range parser.Read(body, &parser.ReadConfig{MaxEventSize: f.o.MaxEvent}) {
		if err != nil {
			return cmpCause(ctx, tooLong(err))
		}
		idle.Stop() // however long the loop's body takes, that is not the server's silence
		if err := f.event(e, yield); err != nil {
			return err
		}
		idle.Reset(f.o.Idle)
	}
	return errEnded
}

// progress goes on to a place that no event has.
func (f *following) progress(place string) {
	f.from = place
	f.o.Progress(place)
}

// heard is told what the server says of when to come back.
func (f *following) heard(wait time.Duration) {
	f.retry = min(max(wait, time.Millisecond), f.o.MaxRetry)
}

// errEnded is why a stream ended that simply did.
var errEnded = fmt.Errorf("spillway/sse: the stream has ended: %w", io.EOF)

// errIdle: not even a heartbeat came.
var errIdle = errors.New("spillway/sse: the server said nothing for too long")

// cmpCause prefers why a request was given up to what came of that.
func cmpCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// request makes the request for what comes next.
func (f *following) request(ctx context.Context) (*http.Request, error) {
	u := *f.url
	if f.after != "" || f.from != "" { // the URL says where it began first
		q := u.Query()
		q.Del("last_event_id")
		q.Del("from")
		if f.from != "" {
			q.Set("from", f.from)
		}
		u.RawQuery = q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	if f.o.Header != nil {
		req.Header = f.o.Header.Clone()
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Cache-Control", "no-store")
	req.Header.Del("Last-Event-ID")
	if f.from == "" && f.after != "" {
		req.Header.Set("Last-Event-ID", f.after)
	}
	return req, nil
}
