package callback

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/queue"
)

// A lateQueue is a queue in which something happens just after a Take that found nothing, once.
type lateQueue struct {
	queue.Queue[int]
	late func()
}

func (q *lateQueue) Take(dst []int) int {
	n := q.Queue.Take(dst)
	if late := q.late; n == 0 && late != nil {
		q.late = nil
		late()
	}
	return n
}

// openSink returns a sink whose run is the test's to call, and what it has called with.
func openSink(t *testing.T, ctx context.Context) (s *sink[int], got *[]int) {
	t.Helper()
	got = new([]int)
	s, err := newSink(ctx, 4, false, func(n int) { *got = append(*got, n) })
	if err != nil {
		t.Fatal(err)
	}
	s.start = func() {}
	return s, got
}

func isOver(s *sink[int]) bool {
	select {
	case <-s.finished():
		return true
	default:
		return false
	}
}

// What is put between the run's last Take and its word that it is idle is found by its second look: the Offer has
// seen it running, and started nobody.
func TestPutAfterTheLastTake(t *testing.T) {
	s, got := openSink(t, t.Context())
	s.queue = &lateQueue{s.queue, func() { s.Offer(2) }}
	s.Offer(1)
	s.run()
	if !slices.Equal(*got, []int{1, 2}) {
		t.Errorf("handled %v, want both", *got)
	}
	s.Close(nil)
	if !isOver(s) {
		t.Error("closed, and nothing waits: not over")
	}
}

// Once stop has returned, or the context is over, a run that was started before takes nothing up, and it is over when
// that run has ended, not before.
func TestHaltedTakesNothingUp(t *testing.T) {
	for name, end := range map[string]func(s *sink[int], cancel context.CancelCauseFunc){
		"stop":    func(s *sink[int], _ context.CancelCauseFunc) { s.stop() },
		"context": func(s *sink[int], cancel context.CancelCauseFunc) { cancel(errors.New("enough")); s.Close(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			s, got := openSink(t, ctx)
			s.Offer(1)
			s.Offer(2)
			end(s, cancel)
			if isOver(s) {
				t.Error("over before the run has ended")
			}
			s.run()
			if len(*got) > 0 || !isOver(s) {
				t.Errorf("handled %v, over %v; want nothing, and over", *got, isOver(s))
			}
			if held, _ := s.Held(); held != 2 {
				t.Errorf("%d wait, want both", held)
			}
		})
	}
}

// A sink that was closed is over when what waits has been handled, and not as soon as nobody runs.
func TestClosedIsOverWhenHandled(t *testing.T) {
	s, got := openSink(t, t.Context())
	s.queue.Put(1) // its Offer has not come to start anybody yet
	s.Close(nil)
	if isOver(s) {
		t.Error("over, and an event waits that was accepted")
	}
	s.wake()
	s.run()
	if !slices.Equal(*got, []int{1}) || !isOver(s) {
		t.Errorf("handled %v, over %v", *got, isOver(s))
	}
}
