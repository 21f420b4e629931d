package bench

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Around a broadcast everything else goes on: subscriptions of every kind begin, are read, and end in every way.

// An owner has subscribed in one way.
type owner struct {
	sub interface {
		Cancel()
		Done() <-chan struct{}
		Err() error
	}
	read   func() bool // waits for one event; false at the end
	prunes bool        // it is, when it is full and nobody reads
}

// A kind is a way to subscribe, with room for so many events.
type kind[T any] struct {
	name string
	open func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error)
}

// kinds are all there are: every adapter, and a sink of the user's own.
func kinds[T any](key func(T) uint64) []kind[T] {
	return []kind[T]{
		{"channel", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			s, err := channel.Subscribe(ctx, f, r, room)
			return owner{s, func() bool { _, ok := <-s.C(); return ok }, true}, err
		}},
		{"callback", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			calls, over := make(chan struct{}, room), make(chan struct{})
			s, err := callback.Subscribe(ctx, f, r, callback.Options{Queue: room}, func(T) {
				select {
				case calls <- struct{}{}: // whoever doesn't read has the calls wait
				case <-over:
				}
			})
			if err != nil {
				return owner{}, err
			}
			go func() {
				<-s.Done()
				close(over)
			}()
			return owner{s, func() bool {
				select {
				case <-calls:
					return true
				case <-over:
					return false
				}
			}, true}, nil
		}},
		{"ring", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			s, err := ring.Subscribe(ctx, f, r, ring.Options{Capacity: room})
			return owner{s, readingOn(s), true}, err
		}},
		{"overwriting", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			s, err := ring.Subscribe(ctx, f, r, ring.Options{Capacity: room, WhenFull: ring.Overwrite})
			return owner{s, readingOn(s), false}, err
		}},
		{"multicast", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			m, err := multicast.Open(ctx, f, r, room)
			if err != nil {
				return owner{}, err
			}
			s, err := m.Reader(context.Background(), multicast.FromNext)
			if errors.Is(err, core.ErrCancelled) { // its context was over by then
				return owner{m, func() bool { return false }, false}, nil
			}
			return owner{m, readingOn(s), false}, err
		}},
		{"latest", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			s, err := latest.Subscribe(ctx, f, r, latest.Options{MaxKeys: room}, key)
			return owner{s, readingOn(s), true}, err
		}},
		{"plain", func(ctx context.Context, f *core.Fanout[T], r region.Region, room int) (owner, error) {
			p := &plain[T]{got: make(chan struct{}, 1)}
			p.room.Store(int64(room))
			s, err := f.Subscribe(ctx, r, p)
			return owner{s, func() bool { _, ok := <-p.got; return ok }, true}, err
		}},
	}
}

func readingOn[T any](s interface {
	Next(context.Context) (T, error)
},
) func() bool {
	return func() bool { _, err := s.Next(context.Background()); return err == nil }
}

// A plain sink is a user's own, with nothing but Offer and Close. It takes so many events.
type plain[T any] struct {
	room atomic.Int64
	got  chan struct{} // one token at most
}

func (p *plain[T]) Offer(T) core.Verdict {
	if p.room.Add(-1) < 0 {
		return core.Full
	}
	select {
	case p.got <- struct{}{}:
	default:
	}
	return core.Accepted
}

func (p *plain[T]) Close(error) { close(p.got) }

// churn has so many of each kind begin, one after the other, and ends them: by Cancel, by context, by their not being
// read. Beside each there is another that reads until it has had a few, and is begun again until ctx is over, which is
// when all have ended: then stop is called.
func churn(ctx context.Context, stop func(), t *testing.T, f *fanout, ends int) (others []func()) {
	all := kinds(sequence)
	var ending atomic.Int64
	ending.Store(int64(len(all)))
	regions := []region.Region{{}, {Entity: "a"}, {Entity: "a:b", Kind: region.OneKind(event(0).Kind)}}
	for _, k := range all {
		others = append(others, func() {
			defer func() {
				if ending.Add(-1) == 0 {
					stop()
				}
			}()
			for i := range ends {
				own, cancel := context.WithCancel(context.Background())
				room := 64
				if i%3 == 2 {
					room = 1
				}
				o, err := k.open(own, f, regions[i%len(regions)], room)
				if err != nil {
					t.Errorf("%s: %v", k.name, err)
					cancel()
					return
				}
				switch {
				case i%3 == 0 || i%3 == 2 && !o.prunes:
					o.sub.Cancel()
				case i%3 == 1:
					cancel()
				}
				<-o.sub.Done()
				cancel()
			}
		}, func() {
			for ctx.Err() == nil {
				o, err := k.open(ctx, f, region.Region{}, 512)
				if err != nil {
					if !errors.Is(err, core.ErrCancelled) {
						t.Errorf("%s: %v", k.name, err)
					}
					return
				}
				for i := 0; i < 200 && o.read(); i++ {
				}
				o.sub.Cancel()
				<-o.sub.Done()
			}
		})
	}
	return others
}

// event returns the event of a number, which is about a:b.
func event(sequence uint64) notification {
	c, err := region.NewCoordinate("a:b", "shop")
	if err != nil {
		panic(err)
	}
	return notification{Coordinate: c, Kind: region.KindData, Sequence: sequence}
}

// underWriters has so many writers broadcast until the others are done.
func underWriters(writers int, broadcast func(notification), others ...func()) {
	var done atomic.Bool
	var sequence atomic.Uint64
	var broadcasting, rest sync.WaitGroup
	e := event(0)
	for range writers {
		broadcasting.Go(func() {
			for e := e; !done.Load(); {
				for range 32 {
					e.Sequence = sequence.Add(1)
					broadcast(e)
				}
				runtime.Gosched() // or a machine of two cores does nothing but broadcast
			}
		})
	}
	for _, other := range others {
		rest.Go(other)
	}
	rest.Wait()
	done.Store(true)
	broadcasting.Wait()
}
