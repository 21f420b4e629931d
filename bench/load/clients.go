package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// clients are streams of a crowd, each read by a goroutine of its own, until close.
type clients struct {
	crowd   *fan.Crowd
	streams []*stream
	members []*fan.Member

	mu      sync.Mutex
	closing bool
	readers sync.WaitGroup
}

// together is how many clients come at one time.
const together = 32

// come has so many clients come, of the groups in turn, and reads from them. No event of a group may be made meanwhile.
func come(ctx context.Context, c *fan.Crowd, addr string, n, groups int) (*clients, error) {
	cs := &clients{crowd: c}
	streams, err := openAll(ctx, addr, n, func(i int) dialing { return dialing{query: fmt.Sprintf("entity=g%d", i%groups)} })
	cs.streams = streams
	if err != nil {
		cs.close()
		return nil, err
	}
	for i, s := range streams {
		m := c.Join(i % groups)
		cs.members = append(cs.members, m)
		cs.readers.Go(func() { cs.read(s, m) })
	}
	return cs, nil
}

// openAll opens so many streams.
func openAll(ctx context.Context, addr string, n int, how func(i int) dialing) ([]*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	streams := make([]*stream, n)
	var openers sync.WaitGroup
	for k := range together {
		openers.Go(func() {
			for i := k; i < n && ctx.Err() == nil; i += together {
				s, err := how(i).open(ctx, addr)
				if err != nil {
					cancel(fmt.Errorf("client %d: %w", i, err))
					return
				}
				streams[i] = s
			}
		})
	}
	openers.Wait()
	if ctx.Err() != nil {
		closeAll(streams)
		return nil, context.Cause(ctx)
	}
	return streams, nil
}

func closeAll(streams []*stream) {
	for _, s := range streams {
		if s != nil {
			s.close()
		}
	}
}

func (cs *clients) read(s *stream, m *fan.Member) {
	var room []byte
	for {
		data, err := s.next(room)
		if err != nil {
			cs.mu.Lock()
			defer cs.mu.Unlock()
			if !cs.closing {
				cs.crowd.Fail(fmt.Errorf("a client has lost its stream: %w", err))
			}
			return
		}
		if m.Got(data) != nil {
			return // the crowd has it
		}
		room = data
	}
}

// close has the clients go, who are owed nothing, or nobody waits for it any more.
func (cs *clients) close() {
	cs.mu.Lock()
	cs.closing = true
	cs.mu.Unlock()
	closeAll(cs.streams)
	cs.readers.Wait()
	for _, m := range cs.members {
		m.Leave()
	}
}

// quit has it be no failure that streams end from now on.
func (cs *clients) quit() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closing = true
}
