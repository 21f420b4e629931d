package bench

import (
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Linear is the design that Spillway began as: a mutex around a slice of subscriptions, where every
// Broadcast tests every region. Whoever is full is pruned at once, by closing the channel.
//
// It is the plainest program that gives the right answers, so tests compare with it too. All
// methods may be called by several goroutines at once; a Broadcast holds up every other call.
type Linear[T any] struct {
	locate func(T) region.Point

	mu   sync.Mutex
	subs []linearSub[T]
}

type linearSub[T any] struct {
	region region.Region
	ch     chan T
}

// NewLinear returns a Linear without subscriptions. A nil locate puts every event at the zero Point.
func NewLinear[T any](locate func(T) region.Point) *Linear[T] {
	if locate == nil {
		locate = func(T) region.Point { return region.Point{} }
	}
	return &Linear[T]{locate: locate}
}

// Subscribe adds a subscription to r and returns its channel, which is closed when it is pruned.
func (l *Linear[T]) Subscribe(r region.Region, capacity int) <-chan T {
	ch := make(chan T, capacity)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs = append(l.subs, linearSub[T]{region: r, ch: ch})
	return ch
}

// Broadcast sends v to every subscription whose region matches, and prunes those that are full.
// The rest keep their order.
func (l *Linear[T]) Broadcast(v T) core.Outcome {
	p := l.locate(v)
	l.mu.Lock()
	defer l.mu.Unlock()
	o := core.Outcome{Live: len(l.subs)}
	for i := range l.subs {
		s := &l.subs[i]
		if !s.region.Match(p) {
			continue
		}
		o.Matched++
		select {
		case s.ch <- v:
			o.Accepted++
		default:
			o.Pruned++
			close(s.ch)
			s.ch = nil
		}
	}
	if o.Pruned > 0 {
		l.sweep()
	}
	return o
}

// sweep removes those that Broadcast has pruned. The tail is zeroed, so that nothing of theirs stays reachable.
func (l *Linear[T]) sweep() {
	kept := l.subs[:0]
	for _, s := range l.subs {
		if s.ch != nil {
			kept = append(kept, s)
		}
	}
	clear(l.subs[len(kept):])
	l.subs = kept
}

// Len returns how many subscriptions are live.
func (l *Linear[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.subs)
}
