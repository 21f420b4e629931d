package logtest

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/internal/kit"
	"github.com/spillwayhq/spillway/region"
)

// A crowd is those who are at work on a Log while it is closed.
type crowd struct {
	*trial
	mu    sync.Mutex
	acked map[core.ID]uint64 // sequences by id
	busy  chan struct{}      // closed when enough has been appended
}

// checkClosesUnder: whoever is at work when the Log is closed has a result, or ErrClosed, and soon. What was answered stays.
func checkClosesUnder(t *trial) error {
	c := &crowd{trial: t, acked: make(map[core.ID]uint64), busy: make(chan struct{})}
	errs := make(chan error, 2*appenders)
	for i := range appenders {
		go func() { errs <- c.appends(fmt.Sprint("of:", i)) }()
		go func() { errs <- c.follows() }()
	}
	late := time.NewTimer(kit.Patience)
	defer late.Stop()
	select {
	case <-c.busy:
	case err := <-errs:
		return err
	case <-late.C:
		return errors.New("nothing is appended")
	}
	if err := t.Log.Close(); err != nil {
		return fmt.Errorf("closing it: %w", err)
	}
	soon := time.NewTimer(patience)
	defer soon.Stop()
	for range cap(errs) {
		select {
		case err := <-errs:
			if !errors.Is(err, cursor.ErrClosed) {
				return fmt.Errorf("who was at work when it was closed got %s; want ErrClosed", said(err))
			}
		case <-soon.C:
			return fmt.Errorf("who was at work when it was closed is so after %v", patience)
		}
	}
	return c.isKept()
}

// appends is one who appends until that fails, as far as there is room.
func (c *crowd) appends(name string) error {
	for range 1000 {
		d := about(name)
		made, err := c.Log.Append(c.ctx, []cursor.Draft{d})
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.acked[d.EventID] = made[0].Sequence
		if len(c.acked) == 40 {
			close(c.busy)
		}
		c.mu.Unlock()
	}
	return c.Log.Wait(c.ctx, math.MaxUint64)
}

// follows is one who reads until that fails.
func (c *crowd) follows() error {
	dst := make([]core.Envelope, 10)
	for from := uint64(0); ; {
		_, next, err := c.Log.Read(c.ctx, region.Region{}, from, dst)
		if err == nil && next == from {
			err = c.Log.Wait(c.ctx, from)
		}
		if err != nil {
			return err
		}
		from = next
	}
}

// isKept looks whether what was answered is there when the Log is opened again.
func (c *crowd) isKept() error {
	if c.Reopen == nil {
		return nil
	}
	log, err := c.Reopen()
	if err != nil {
		return fmt.Errorf("opening it again: %w", err)
	}
	c.Log = log
	es, err := c.read(region.Region{}, 0, 100)
	if err != nil {
		return err
	}
	for _, e := range es {
		if seq, ok := c.acked[e.EventID]; ok && seq == e.Sequence {
			delete(c.acked, e.EventID)
		}
	}
	if len(c.acked) > 0 {
		return fmt.Errorf("%d events that were answered as it was closed are not where they were said to be", len(c.acked))
	}
	return nil
}
