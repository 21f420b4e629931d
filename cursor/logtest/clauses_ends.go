package logtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

var errLeft = errors.New("the caller has left")

// calls does everything that takes a context.
func calls(ctx context.Context, log cursor.Log, d cursor.Draft) map[string]error {
	_, appended := log.Append(ctx, []cursor.Draft{d})
	_, _, read := log.Read(ctx, region.Region{}, 0, make([]core.Envelope, 1))
	_, bounds := log.Bounds(ctx)
	return map[string]error{"Append": appended, "Read": read, "Bounds": bounds, "Wait": log.Wait(ctx, 0)}
}

// checkContexts: where a context is over, nothing is done, and its cause is returned.
func checkContexts(t *trial) error {
	if err := t.many("alice", 1); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(t.ctx)
	cancel(errLeft)
	for name, err := range calls(ctx, t.Log, about("alice")) {
		if !errors.Is(err, errLeft) || errors.Is(err, cursor.ErrUnknown) {
			return fmt.Errorf("%s returned %s; want the context's cause", name, said(err))
		}
	}
	return t.bounds(0, 1)
}

// waiting begins a Wait, and returns where its answer will be.
func (t *trial) waiting(ctx context.Context, next uint64) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := t.Log.Wait(ctx, next)
		if err == nil {
			if b, failed := t.Log.Bounds(t.ctx); failed == nil && b.Next <= next {
				err = fmt.Errorf("nil, with %d events there", b.Next)
			}
		}
		done <- err
	}()
	return done
}

// lieDown gives those who wait the time to fall asleep. Who is late finds it all there, which is right as well, and
// tells nothing about being woken.
func lieDown() { time.Sleep(time.Millisecond) }

// answer returns what a Wait has returned, or that it sleeps on.
func answer(done <-chan error, want error) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			return fmt.Errorf("it returned %s; want %s", said(err), said(want))
		}
		return nil
	case <-late.C:
		return fmt.Errorf("it sleeps on after %v", patience)
	}
}

// checkWaits: a Wait is over when there is more, at once if there is already, and not before; or when its context is.
func checkWaits(t *trial) error {
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	for i := range uint64(30) {
		there := 2 * i
		early, second, ahead := t.waiting(ctx, there), t.waiting(ctx, there), t.waiting(ctx, there+1)
		if i%2 == 0 {
			lieDown()
		}
		if err := t.many("alice", 1); err != nil {
			return err
		}
		for _, done := range []<-chan error{early, second, t.waiting(ctx, there)} {
			if err := answer(done, nil); err != nil {
				return fmt.Errorf("a Wait for more than %d events, with one more there: %w", there, err)
			}
		}
		if i%2 == 0 {
			lieDown() // whoever was woken too early has the time to say so
		}
		if err := t.many("bob", 1); err != nil {
			return err
		}
		if err := answer(ahead, nil); err != nil {
			return fmt.Errorf("a Wait for more than %d events, with one more there: %w", there+1, err)
		}
	}
	return t.sleeps(ctx, cancel)
}

// sleeps looks whether a Wait for what doesn't come lasts until its context is over.
func (t *trial) sleeps(ctx context.Context, leave context.CancelCauseFunc) error {
	b, err := t.Log.Bounds(ctx)
	if err != nil {
		return err
	}
	for _, next := range []uint64{b.Next, b.Next + 100} {
		short, cancel := context.WithTimeoutCause(ctx, 20*time.Millisecond, errLeft)
		err := answer(t.waiting(short, next), errLeft)
		cancel()
		if err != nil {
			return fmt.Errorf("a Wait for more than %d events, with %d there, for 20 ms: %w", next, b.Next, err)
		}
	}
	done := t.waiting(ctx, b.Next)
	lieDown()
	leave(errLeft)
	if err := answer(done, errLeft); err != nil {
		return fmt.Errorf("a Wait whose context ends: %w", err)
	}
	return nil
}

// checkCloses: Close wakes who waits; afterwards all is ErrClosed, but for what the Log is.
func checkCloses(t *trial) error {
	if err := t.many("alice", 1); err != nil {
		return err
	}
	id, limits := t.Log.ID(), t.Log.Limits()
	done := t.waiting(t.ctx, 1)
	lieDown()
	for i := range 3 {
		if err := t.Log.Close(); err != nil {
			return fmt.Errorf("the %d. Close: %w", i+1, err)
		}
	}
	if err := answer(done, cursor.ErrClosed); err != nil {
		return fmt.Errorf("a Wait when the log is closed: %w", err)
	}
	for name, err := range calls(t.ctx, t.Log, about("alice")) {
		if !errors.Is(err, cursor.ErrClosed) {
			return fmt.Errorf("%s returned %s; want ErrClosed", name, said(err))
		}
	}
	if t.Log.ID() != id || t.Log.Limits() != limits {
		return errors.New("a closed log has another ID, or other Limits")
	}
	return nil
}

// checkReopened: what was appended is there when the Log is opened again, and all clocks go on.
func checkReopened(t *trial) error {
	if t.Reopen == nil {
		return nil // the Log says that it is gone
	}
	first := expecting(0)
	if _, err := t.batch(first); err != nil {
		return err
	}
	if _, err := t.append(mixed(20)...); err != nil {
		return err
	}
	id := t.Log.ID()
	for range 2 {
		if err := t.Log.Close(); err != nil {
			return fmt.Errorf("closing it: %w", err)
		}
		log, err := t.Reopen()
		if err != nil {
			return fmt.Errorf("opening it again: %w", err)
		}
		t.Log = log
		if log.ID() != id {
			return errors.New("it has another ID")
		}
		if err := t.bounds(0, uint64(len(t.events))); err != nil {
			return err
		}
		for _, r := range []region.Region{{}, {Entity: "alice"}, {Scope: "bank"}} {
			if err := t.holds(r, 0, 7); err != nil {
				return err
			}
		}
		if err := t.goesOn(first); err != nil {
			return err
		}
	}
	return nil
}

// goesOn appends to a Log that was opened again.
func (t *trial) goesOn(first cursor.Draft) error {
	again, err := t.batch(first)
	if err != nil {
		return fmt.Errorf("the first event again: %w", err)
	}
	if err := alike(again, t.events[:1]); err != nil {
		return fmt.Errorf("the first event again: %w", err)
	}
	clock := uint32(0)
	for _, e := range t.events {
		if e.Coordinate == first.Coordinate {
			clock = e.Position.Sequence
		}
	}
	last := t.events[len(t.events)-1]
	made, err := t.batch(expecting(clock))
	if err != nil {
		return fmt.Errorf("alice's clock was %d: %w", clock, err)
	}
	if got := made[0].Position.Sequence; got != clock+1 {
		return fmt.Errorf("alice's clock goes on at %d, want %d", got, clock+1)
	}
	return later(last, made[0])
}
