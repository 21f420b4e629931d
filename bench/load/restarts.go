package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A restartsSize says how often the server is ended and started again.
type restartsSize struct {
	restarts int
	clients  int
	batch    int // events of a request
	between  int // requests between two ends, at most
}

const restartGroups = 4

// runRestarts kills the server, or asks it to end, and starts it again, under clients who stream and one who sends.
func runRestarts(ctx context.Context, l *load, t *table) error {
	size := l.sizes.restarts
	t.title = fmt.Sprintf("%d restarts under clients", size.restarts)
	t.about = fmt.Sprintf(`%d clients (sse.Follow) stream one of %d regions each, over all restarts. One sender appends batches of %d events to a log in a folder, each under
ids of its own, and sends a batch again until it is answered. The server ends by SIGKILL and SIGTERM in turns, in the midst of a batch, when
all clients were there and up to %d batches were sent.`, size.clients, restartGroups, size.batch, size.between)
	r, err := newRestarting(l, size)
	if err != nil {
		return err
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	t.head = []string{"restarts", "events", "batches sent again", "deliveries", "back p50", "back p99", "seen again p99"}
	at := func(h *hdrhistogram.Histogram, percent float64) string {
		return report.Duration(float64(h.ValueAtPercentile(percent)))
	}
	latencies, n := r.crowd.Take()
	t.row(fmt.Sprint(size.restarts), fmt.Sprint(r.sent*size.batch), fmt.Sprint(r.again), fmt.Sprint(n), at(r.back, 50), at(r.back, 99), at(latencies, 99))
	t.note("back: from when the server was ended until it said that it serves again. seen again: from when an event was first sent until a client had it, whatever was down meanwhile")
	t.note("a client waits 25 to 75 ms before it tries to come back here")
	t.assert(true, "each client got every event of its region once and in order: %d deliveries are %d events to %d clients of %d regions", n, r.sent*size.batch, size.clients, restartGroups)
	t.assert(r.retries >= size.restarts*size.clients, "each restart ended each of the %d streams: they came back %d times", size.clients, r.retries)
	t.assert(r.again >= size.restarts/2, "batches were under way when the server ended: %d were sent again", r.again)
	t.assert(r.unclean == nil, "each SIGTERM ended the server in good order%s", because(r.unclean))
	return nil
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// A restarting is a server that is ended and started again, and who is there meanwhile.
type restarting struct {
	l      *load
	size   restartsSize
	crowd  *fan.Crowd
	addr   string
	random *rand.Rand

	server  *server
	sent    int // batches
	again   int // of them, how often one was sent again
	back    *hdrhistogram.Histogram
	unclean error

	mu      sync.Mutex // of retries
	retries int
}

func newRestarting(l *load, size restartsSize) (*restarting, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return &restarting{
		l: l, size: size, addr: addr, crowd: fan.NewCrowd(restartGroups),
		random: rand.New(rand.NewPCG(1, 2)), back: hdrhistogram.New(1, int64(time.Minute), 2),
	}, nil
}

// freeAddress is one where nobody listens just now.
func freeAddress() (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// start starts the server, which outlives ctx.
func (r *restarting) start(ctx context.Context) (err error) {
	ctx = context.WithoutCancel(ctx)
	r.server, err = r.l.serve(ctx, r.size.clients, "--listen", r.addr, "--data", filepath.Join(r.l.dir, "restarts"))
	return err
}

// run ends and starts the server so often, and returns when every client has everything.
func (r *restarting) run(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	defer func() { r.server.kill() }()
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for i := range r.size.clients {
		m := r.crowd.Join(i % restartGroups)
		all.Go(func() { r.follow(ctx, m, i%restartGroups) })
	}
	to := newSender("http://" + r.addr)
	defer to.close()
	for k := range r.size.restarts {
		for range r.random.IntN(r.size.between) {
			if err := r.batch(ctx, to); err != nil {
				return err
			}
		}
		if err := r.crowd.Await(ctx, time.Minute); err != nil { // so all are there again whose streams it ends
			return fmt.Errorf("before restart %d: %w", k, err)
		}
		if err := r.restartUnder(ctx, k, to); err != nil {
			return err
		}
	}
	for range r.size.between {
		if err := r.batch(ctx, to); err != nil {
			return err
		}
	}
	return r.crowd.Await(ctx, time.Minute)
}

// restartUnder restarts the server, and sends batch after batch meanwhile.
func (r *restarting) restartUnder(ctx context.Context, k int, to *sender) error {
	ended := make(chan error, 1)
	delay := time.Duration(r.random.IntN(5000)) * time.Microsecond // some way into some batch
	go func() { ended <- r.restart(ctx, k, delay) }()
	for {
		batch := r.batch(ctx, to)
		if batch != nil {
			return errors.Join(batch, <-ended)
		}
		select {
		case err := <-ended:
			return err
		default:
		}
	}
}

// restart ends the server and starts it again.
func (r *restarting) restart(ctx context.Context, k int, delay time.Duration) error {
	if err := sleep(ctx, delay); err != nil {
		return err
	}
	begun := time.Now()
	if k%2 == 0 {
		r.server.kill()
	} else if err := r.server.end(syscall.SIGTERM); err != nil && r.unclean == nil {
		r.unclean = err
	}
	if err := r.start(ctx); err != nil {
		return fmt.Errorf("restart %d: %w", k, err)
	}
	_ = r.back.RecordValue(min(int64(time.Since(begun)), int64(time.Minute))) // its only error is a value beyond
	return nil
}

// batch appends the next events of all groups, and sends them until they are answered.
func (r *restarting) batch(ctx context.Context, to *sender) error {
	events := make([][]byte, r.size.batch)
	for i := range events {
		n := r.sent*r.size.batch + i
		group := n % restartGroups
		events[i] = appendEvent(nil, fmt.Sprintf("%032x", n+1), fmt.Sprintf("g%d", group), r.crowd.Make(group, r.crowd.Now(), eventBytes))
	}
	body := appendArray(nil, events)
	r.sent++
	late := time.Now().Add(time.Minute)
	for {
		err := to.send(ctx, body)
		if err == nil {
			return nil
		}
		refused, answered := errors.AsType[*refusedError](err)
		if answered && refused.status != 503 || time.Now().After(late) || ctx.Err() != nil {
			return err
		}
		if err := r.crowd.Err(); err != nil {
			return err
		}
		r.again++
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// follow is one client, over all restarts, from before the first event on.
func (r *restarting) follow(ctx context.Context, m *fan.Member, group int) {
	query := url.Values{"entity": {fmt.Sprintf("g%d", group)}}
	o := sse.FollowOptions{From: "start", Retry: 50 * time.Millisecond, MaxRetry: 50 * time.Millisecond, Retrying: func(error, time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.retries++
	}}
	for e, err := range sse.Follow(ctx, "http://"+r.addr+"/v1/events?"+query.Encode(), o) {
		if err != nil {
			if ctx.Err() == nil {
				r.crowd.Fail(fmt.Errorf("a client's stream has ended: %w", err))
			}
			return
		}
		if e.ID == "" {
			continue // a notice
		}
		if m.Got(e.Data) != nil {
			return // the crowd has it
		}
	}
}
