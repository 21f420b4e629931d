package sinktest

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"

	"github.com/spillwayhq/spillway/core"
)

// checkCloseReturns: Close returns, whether anybody reads or not.
func checkCloseReturns(open func() Subject) error {
	for _, n := range []int{0, 1} {
		t, err := begin(open)
		if err != nil {
			return err
		}
		t.broadcast(n)
		if err := t.end(); err != nil {
			return err
		}
	}
	return nil
}

// An ending is a way in which a subscription may end.
type ending struct {
	name string
	end  func(t *trial)
}

var endings = []ending{
	{"a Cancel", func(t *trial) { t.sub.Cancel() }},
	{"the Fanout's Close", func(t *trial) { _ = t.fanout.Close() }},
	{"a refusal", func(t *trial) { t.broadcast(overfull(t.Capacity)) }},
}

// checkClosedOnce: Close doesn't panic, as it does where the sink has closed its far end by itself, and nothing comes
// after what was there when it returned.
func checkClosedOnce(open func() Subject) error {
	for _, e := range endings {
		t, err := begin(open)
		if err != nil {
			return err
		}
		t.broadcast(t.Capacity)
		e.end(t)
		if err := t.end(); err != nil {
			return err
		}
		if n := t.fanout.Stats().Panics; n > 0 {
			return fmt.Errorf("it panicked in Close, after %s", e.name)
		}
		t.drain()
		for _, v := range t.received {
			if v < 0 || v >= t.next {
				return fmt.Errorf("it delivers %d after %s; that was never offered", v, e.name)
			}
		}
		if late := t.drain(); len(late) > 0 {
			return fmt.Errorf("after %s it was read until nothing was left, and then delivers %s", e.name, some(late))
		}
	}
	return nil
}

// checkStaysReadable: what was accepted before the end is received after it.
func checkStaysReadable(open func() Subject) error {
	for _, e := range endings {
		t, err := begin(open)
		if err != nil {
			return err
		}
		if t.Lossy && e.name == "a refusal" {
			continue
		}
		t.broadcast(t.Capacity)
		e.end(t)
		if err := t.end(); err != nil {
			return err
		}
		t.drain()
		if v, found := missing(t.accepted, t.received); found {
			return fmt.Errorf("event %d was accepted before %s, and is not readable after it: %s of %s",
				v, e.name, some(t.received), some(t.accepted))
		}
	}
	return nil
}

// errOwn is a reason to end that is the kit's own.
var errOwn = errors.New("the reason that the kit gave")

// checkCauseReadable: a sink whose far end asks why it ended, by an Err method, says why, and nothing before; no
// sink ends its subscription for a reason of its own while its far end is there.
func checkCauseReadable(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	far, has := t.Sink.(interface{ Err() error })
	t.broadcast(1)
	if has && far.Err() != nil {
		return fmt.Errorf("before the end it said by Err: %w", far.Err())
	}
	t.sub.CancelCause(errOwn)
	if err := t.wait(); err != nil {
		return err
	}
	if got := t.sub.Err(); !errors.Is(got, errOwn) {
		return fmt.Errorf("the subscription was ended for %w, and ended for %w", errOwn, got)
	}
	if has && !errors.Is(far.Err(), errOwn) {
		return fmt.Errorf("in Close it was told %w, and says by Err: %v", errOwn, fmt.Sprint(far.Err()))
	}
	return nil
}

// collections is how many garbage collections a sink may outlive its end.
const collections = 20

// checkNotRetained: a sink that has ended, was read, and is not referred to by its owner, is garbage. It is told for
// sinks that are pointers.
func checkNotRetained(open func() Subject) error {
	f, gone, err := leave(open)
	if err != nil || gone == nil {
		return err
	}
	for range collections {
		runtime.GC()
		select {
		case <-gone:
			runtime.KeepAlive(f)
			return nil
		default:
			runtime.Gosched()
		}
	}
	return errors.New("the sink is reachable still after its end: from a goroutine that goes on, a timer, or something global")
}

// leave has a subject's life in a frame of its own, of which nothing is left but the Fanout; gone is told when the sink
// is collected.
//
//go:noinline
func leave(open func() Subject) (f *core.Fanout[int], gone chan struct{}, err error) {
	t, err := begin(open)
	if err != nil {
		return nil, nil, err
	}
	t.broadcast(t.Capacity)
	t.drain()
	if err := t.end(); err != nil {
		return nil, nil, err
	}
	t.drain()
	sink := reflect.ValueOf(t.Sink)
	if sink.Kind() != reflect.Pointer {
		return nil, nil, nil
	}
	gone = make(chan struct{})
	runtime.AddCleanup((*byte)(sink.UnsafePointer()), func(c chan struct{}) { close(c) }, gone)
	return t.fanout, gone, nil
}
