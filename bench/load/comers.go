package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// comers are clients that come, stay for a while, and go. They are no members of the crowd, which owes them nothing: each looks by
// itself whether what it gets is one after the other.
type comers struct {
	crowd *fan.Crowd
	addr  string
	stay  time.Duration

	mu     sync.Mutex // of these
	came   int
	back   int
	got    int
	events int
}

// comeAndGo is one client, until over.
func (c *comers) comeAndGo(ctx context.Context, over <-chan struct{}, random *rand.Rand, group int) error {
	var (
		last string // the id of the last event, if it comes back with that
		next uint64 // and the number behind it
	)
	for {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return nil // somebody else has failed
		default:
		}
		s, err := dialing{query: fmt.Sprintf("entity=g%d", group), after: last}.open(ctx, c.addr)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		n := 0
		if last == "" {
			next = 0
		}
		next, n, err = c.visit(s, next, time.Duration((0.5+random.Float64())*float64(c.stay)))
		s.close()
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.came++
		if last != "" {
			c.back++
		}
		c.got += n
		c.mu.Unlock()
		if last = ""; n > 0 && random.IntN(2) == 0 {
			last = s.last
		}
	}
}

// visit reads for so long, and wants the number next first; 0: any. It returns the number behind the last, and how many it got.
func (c *comers) visit(s *stream, next uint64, long time.Duration) (after uint64, n int, err error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(long)); err != nil {
		return 0, 0, err
	}
	var room []byte
	for {
		data, err := s.next(room)
		if quiet(err) {
			return next, n, nil // in the midst of an event, perhaps: then it has not come
		}
		if err != nil {
			return 0, 0, fmt.Errorf("a client that came has lost its stream: %w", err)
		}
		e, err := fan.Read(data)
		if err != nil {
			return 0, 0, err
		}
		if next != 0 && e.N != next {
			return 0, 0, fmt.Errorf("a client got event %d where %d was to come", e.N, next)
		}
		next = e.N + 1
		n++
		room = data
	}
}
