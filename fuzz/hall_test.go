package fuzz_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An event of the adapters' targets.
type event struct {
	n        int // which it is
	writer   int // of those that were broadcast at the same time
	key      int
	sequence uint64 // mostly rises
}

func (e event) point() region.Point { return region.Point{Sequence: e.sequence} }

// A hall is what each adapter's target plays in: a Fanout, a context, and the tape that says what happens. All is in
// a bubble of synctest: what has come to rest is known to have, and a wake-up that is lost is a deadlock.
type hall struct {
	t      *testing.T
	tape   *indexTape
	f      *core.Fanout[event]
	single bool
	ctx    context.Context // of those that are leased
	cancel context.CancelCauseFunc
	over   context.Context // it has always been over, so who reads with it doesn't wait
	closed bool
	events int
}

var errTooLate = errors.New("the context of who doesn't wait")

// enter calls play in a new hall, unless the tape is too long.
func enter(t *testing.T, ops []byte, play func(h *hall)) {
	if len(ops) > 192 {
		t.Skip("long tapes find nothing that short ones don't, and take their time")
	}
	synctest.Test(t, func(t *testing.T) {
		h := &hall{t: t, tape: &indexTape{ops}}
		h.single = h.tape.byte()%2 == 1
		h.f = core.New(core.Config[event]{Name: "fuzz", Locate: event.point, SingleWriter: h.single})
		over, cancel := context.WithCancelCause(context.Background())
		cancel(errTooLate)
		h.over = over
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		play(h)
		h.cancel(nil)
	})
}

// op is what is to be done next, of n. The last, which ends all, comes rarely, and a broadcast in its place.
func (h *hall) op(n byte) byte {
	b := h.tape.byte()
	if b%n == n-1 && b >= 32 {
		return 1
	}
	return b % n
}

// lease returns the context that the hall can end, or one that never does.
func (h *hall) lease(leased bool) context.Context {
	if leased {
		return h.ctx
	}
	return context.Background()
}

// endContext ends all that is leased, and begins another context.
func (h *hall) endContext() {
	h.cancel(errOwn)
	h.ctx, h.cancel = context.WithCancelCause(context.Background())
}

// close is the Fanout's.
func (h *hall) close() {
	_ = h.f.Close()
	h.closed = true
}

// event returns the next one.
func (h *hall) event(writer int) event {
	b := int(h.tape.byte())
	h.events++
	return event{n: h.events, writer: writer, key: b % 16, sequence: uint64(3*h.events + b/16%8)}
}

// one is a batch of one event.
func (h *hall) one() [][]event { return [][]event{{h.event(0)}} }

// batch is what up to four writers broadcast at the same time, up to four events each; with a single writer, one event.
func (h *hall) batch() [][]event {
	if h.single {
		return h.one()
	}
	b := h.tape.byte()
	batch := make([][]event, 2+b%3)
	for w := range batch {
		for range 1 + b>>(2+2*w)%4 {
			batch[w] = append(batch[w], h.event(w))
		}
	}
	return batch
}

// broadcast has each writer of the batch broadcast its events, all of them at the same time. Live is left out: it is
// whatever it was for one of them.
func (h *hall) broadcast(batch [][]event) (sum core.Outcome) {
	var mu sync.Mutex
	var begin, all sync.WaitGroup
	begin.Add(len(batch))
	write := func(of []event) {
		for _, e := range of {
			out := h.f.Broadcast(e)
			mu.Lock()
			sum.Matched += out.Matched
			sum.Accepted += out.Accepted
			sum.Pruned += out.Pruned
			mu.Unlock()
		}
	}
	if len(batch) == 1 {
		write(batch[0])
		return sum
	}
	for _, of := range batch {
		all.Go(func() {
			begin.Done()
			begin.Wait()
			write(of)
		})
	}
	all.Wait()
	return sum
}

// rest waits until nothing happens any more.
func (h *hall) rest() {
	synctest.Wait()
	if err := h.f.Wait(context.Background()); err != nil {
		h.t.Fatalf("Wait: %v", err)
	}
}

// must fails the test, for which of the subscriptions, where err is not nil.
func (h *hall) must(which int, err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("subscription %d: %v", which, err)
	}
}
