package sinktest

import (
	"fmt"
	"slices"
	"sync"
)

// How often, and by how many, events are offered at the same time.
const (
	rounds  = 200
	writers = 4
)

// checkConcurrent: what several goroutines offer at once is received once each, and each goroutine's in its order; where
// it is more than fits, as much as fits.
func checkConcurrent(open func() Subject) error {
	for range rounds {
		if err := concurrently(open); err != nil {
			return err
		}
		if err := overfilled(open); err != nil {
			return err
		}
	}
	return nil
}

// together has n goroutines offer each events at the same time, 0, 1, 2 … the first's, and returns how many of each's
// were accepted. What one had accepted comes before what it had refused.
func (t *trial) together(n, each int) (accepted []int) {
	accepted = make([]int, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for w := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			for i := range each {
				accepted[w] += t.fanout.Broadcast(w*each + i).Accepted
			}
		})
	}
	done.Wait()
	return accepted
}

// concurrently has as many events offered at the same time as fit.
func concurrently(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	n := min(writers, t.Capacity)
	each := t.Capacity / n
	accepted := t.together(n, each)
	if err := t.end(); err != nil {
		return err
	}
	if slices.Min(accepted) < each {
		return fmt.Errorf("%d goroutines offered %d events together, there was room for %d, and one was refused", n, n*each, t.Capacity)
	}
	return firstInOrder(t.drain(), accepted, each)
}

// overfilled has more events offered at the same time than fit.
func overfilled(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	accepted := t.together(writers, t.Capacity)
	t.drain() // now: what has been lapped at its end has nothing left to read
	if err := t.end(); err != nil {
		return err
	}
	t.drain()
	got, all := t.received, 0
	for _, n := range accepted {
		all += n
	}
	if t.Lossy {
		lost := t.Sink.(lossySink).Lost()
		if all < writers*t.Capacity || len(got) > t.Capacity || uint64(all) != uint64(len(got))+lost {
			return fmt.Errorf("%d goroutines offered %d events each at the same time: %d were accepted, %d received, and Lost returns %d",
				writers, t.Capacity, all, len(got), lost)
		}
		return nil
	}
	if all != t.Capacity {
		return fmt.Errorf("%d goroutines offered %d events each at the same time: %d were accepted; its capacity is %d",
			writers, t.Capacity, all, t.Capacity)
	}
	return firstInOrder(got, accepted, t.Capacity)
}

// firstInOrder: got is, of the events of each goroutine, the first so many that were accepted, once and in order.
func firstInOrder(got, accepted []int, each int) error {
	next := make([]int, len(accepted))
	for _, v := range got {
		w := v / each
		if v < 0 || w >= len(accepted) {
			return fmt.Errorf("event %d is received, and was never offered", v)
		}
		if v%each != next[w] {
			return fmt.Errorf("of goroutine %d event %d is received where %d was next; %d goroutines offered %d each at the same time",
				w, v%each, next[w], len(accepted), each)
		}
		next[w]++
	}
	for w, have := range next {
		if have != accepted[w] {
			return fmt.Errorf("of goroutine %d's events %d are received, and %d were accepted; %d goroutines offered %d each at the same time",
				w, have, accepted[w], len(accepted), each)
		}
	}
	return nil
}
