package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// A Crowd is many goroutines that read the same events, blocks of the sequences 0, 1, 2 …, and each check all of
// them: how many, and what the sequences add up to.
type Crowd struct {
	readers, block int
	arrived        atomic.Int64 // readers who have the whole block; counted by them
	all            chan struct{}
	wrong          chan error
	running        sync.WaitGroup
}

// NewCrowd returns a Crowd of so many readers, who say so when they have a block of events.
func NewCrowd(readers, block int) *Crowd {
	return &Crowd{readers: readers, block: block, all: make(chan struct{}, 1), wrong: make(chan error, 1)}
}

// Go starts a reader: read calls got with how many events it took, and the sum of their sequences, until nothing
// comes any more, and returns why.
func (c *Crowd) Go(read func(got func(n int, sum uint64)) error) {
	c.running.Go(func() {
		var count, sum uint64
		due := uint64(c.block)
		err := read(func(n int, of uint64) {
			count += uint64(n)
			sum += of
			if count < due {
				return
			}
			if want := due * (due - 1) / 2; count != due || sum != want {
				c.fail(fmt.Errorf("a reader has %d events with sum %d; want %d with sum %d", count, sum, due, want))
			}
			due += uint64(c.block)
			if c.arrived.Add(1) == int64(c.readers) {
				c.arrived.Store(0)
				c.all <- struct{}{}
			}
		})
		if err != nil {
			c.fail(err)
		}
	})
}

func (c *Crowd) fail(err error) {
	select {
	case c.wrong <- err:
	default:
	}
}

// Await returns nil when all readers have a further block, and what went wrong where one never will.
func (c *Crowd) Await() error {
	select {
	case <-c.all:
		return nil
	case err := <-c.wrong:
		return err
	}
}

// Wait returns when all readers have ended.
func (c *Crowd) Wait() { c.running.Wait() }
