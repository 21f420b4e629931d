package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A crowdSize says how many clients there are, a tenth of whom are stuck in every other phase.
type crowdSize struct {
	clients, groups int
	rate            int // events a second, each to one group
	pairs           int // of a phase with a tenth stuck and one with none
	phase           time.Duration
}

const (
	stuckBuffer = 4096    // bytes that a stuck client's socket receives into
	floodBytes  = 1 << 13 // of an event that only stuck clients are to get,
	floodEvents = 64      // and how many of those fill what lies between
)

// A scene is a server with its crowd.
type scene struct {
	crowd  *fan.Crowd
	server *server
	sender *sender
	steady *clients // those that are there all the time
	size   crowdSize
}

// runCrowd measures how much a tenth of all clients cost the others by reading nothing.
func runCrowd(ctx context.Context, l *load, t *table) (err error) {
	size := l.sizes.crowd
	size.clients = l.connections(size.clients)
	stuck := size.clients / 10
	t.title = fmt.Sprintf("%d clients, a tenth of them stuck", size.clients)
	t.about = fmt.Sprintf(`Each streams one of %d regions; %d events a second of %d bytes, each to one region, are sent by requests of their own. In turns, %d times each, all
read, or %d of them read nothing, with %d bytes to receive into, and ask for everything. Each turn takes %v. Times are from when an event was
due, by a timetable that does not slip.`,
		size.groups, size.rate, eventBytes, 2*size.pairs, stuck, stuckBuffer, size.phase)
	s := &scene{size: size, crowd: fan.NewCrowd(size.groups)}
	if s.server, err = l.serve(ctx, size.clients, "--memory", "--retain-events", "100000"); err != nil {
		return err
	}
	defer s.server.kill()
	s.sender = newSender(s.server.url)
	defer s.sender.close()

	before, err := s.server.rss()
	if err != nil {
		return err
	}
	begun := time.Now()
	if s.steady, err = come(ctx, s.crowd, s.server.addr, size.clients-stuck, size.groups); err != nil {
		return err
	}
	defer s.steady.close()
	others, err := come(ctx, s.crowd, s.server.addr, stuck, size.groups)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	idle, err := s.server.rss()
	others.close()
	if err != nil {
		return err
	}
	none, some := newPhase(), newPhase()
	loaded, err := s.play(ctx, stuck, none, some)
	if err != nil {
		return err
	}
	t.head = phaseHead
	t.row(none.cells("none stuck")...)
	t.row(some.cells("a tenth stuck")...)
	n := float64(size.clients)
	t.note("the server's memory: %s a client that waits, %s a client at most (%s in all, with the log's events and what stuck ones hold; %s before anybody came)",
		report.Bytes((idle-before)/n), report.Bytes((loaded-before)/n), mib(loaded), mib(before))
	t.note("%d clients came in %.1f s", size.clients, took.Seconds())
	l.compare(t, "with a tenth stuck, against none stuck", some, none)
	t.assert(true, "every client that reads got every event of its region, once and in order: %d deliveries", none.count+some.count)
	return s.ends(ctx, l, t, stuck)
}

// play plays the phases in turns, in changing order, and returns the most memory that the server had in between.
func (s *scene) play(ctx context.Context, stuck int, none, some *phase) (most float64, err error) {
	for pair := range 2 * s.size.pairs {
		turns := []func() error{
			func() error { return s.withNone(ctx, stuck, none) },
			func() error { return s.withStuck(ctx, stuck, some) },
		}
		if pair%2 == 1 {
			turns[0], turns[1] = turns[1], turns[0]
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return 0, err
			}
			now, err := s.server.rss()
			if err != nil {
				return 0, err
			}
			most = max(most, now)
		}
	}
	return most, nil
}

// withNone measures with everybody reading.
func (s *scene) withNone(ctx context.Context, others int, into *phase) error {
	if err := s.left(ctx); err != nil {
		return err
	}
	cs, err := come(ctx, s.crowd, s.server.addr, others, s.size.groups)
	if err != nil {
		return err
	}
	defer cs.close()
	if err := s.server.settle(ctx); err != nil {
		return err
	}
	return into.measure(ctx, s.crowd, s.sender, s.size.groups, s.size.rate, s.size.phase)
}

// withStuck measures with some who read nothing, once what lies between is full.
func (s *scene) withStuck(ctx context.Context, stuck int, into *phase) error {
	streams, err := s.stuck(ctx, stuck)
	if err != nil {
		return err
	}
	defer closeAll(streams)
	if err := s.server.settle(ctx); err != nil {
		return err
	}
	return into.measure(ctx, s.crowd, s.sender, s.size.groups, s.size.rate, s.size.phase)
}

// stuck has so many come who read nothing, and sends what they are to get stuck at.
func (s *scene) stuck(ctx context.Context, n int) ([]*stream, error) {
	if err := s.left(ctx); err != nil {
		return nil, err
	}
	streams, err := openAll(ctx, s.server.addr, n, func(int) dialing { return dialing{buffer: stuckBuffer} })
	if err != nil {
		return nil, err
	}
	flood := make([][]byte, floodEvents)
	for i := range flood {
		flood[i] = appendEvent(nil, "", "flood", fmt.Appendf(nil, "%q", strings.Repeat("x", floodBytes)))
	}
	if err := s.sender.send(ctx, appendArray(nil, flood)); err != nil {
		closeAll(streams)
		return nil, err
	}
	return streams, nil
}

// left returns when the server knows that only those are there who are there all the time.
func (s *scene) left(ctx context.Context) error {
	want := float64(len(s.steady.streams))
	err := until(ctx, 30*time.Second, func() (bool, error) {
		n, err := s.server.metric(ctx, "spillway_sse_streams")
		return n == want, err
	})
	if err != nil {
		return fmt.Errorf("those who have gone are still counted: %w", err)
	}
	return nil
}

// ends asserts that the stuck ones' streams are ended, the others' are not, and the server ends in good order.
func (s *scene) ends(ctx context.Context, l *load, t *table, stuck int) error {
	if l.sizes.untimed { // it takes as long as the server lets a write take
		return s.server.end(syscall.SIGTERM)
	}
	before, err := s.server.metric(ctx, "spillway_sse_stuck_total")
	if err != nil {
		return err
	}
	streams, err := s.stuck(ctx, stuck)
	if err != nil {
		return err
	}
	defer closeAll(streams)
	begun := time.Now()
	gone := s.left(ctx)
	took := time.Since(begun)
	after, err := s.server.metric(ctx, "spillway_sse_stuck_total")
	if err != nil {
		return err
	}
	t.assert(gone == nil && after-before == float64(stuck), "the server ends the streams of the %d who read nothing, and of nobody else: %.0f ended as stuck, the last after %.1f s",
		stuck, after-before, took.Seconds())
	s.steady.quit()
	err = s.server.end(syscall.SIGTERM)
	t.assert(err == nil, "SIGTERM ends the server in good order, with %d streams open", len(s.steady.streams))
	return nil
}

func mib(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }
