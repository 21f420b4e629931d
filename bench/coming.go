package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// free is a sink that costs nothing, to see what a subscription alone costs.
type free struct{}

func (free) Offer(notification) core.Verdict { return core.Accepted }
func (free) Close(error)                     {}

// comingRows are P7, P7b and P7w: what it costs to come and go, and what others pay for it.
func comingRows() []Row {
	return []Row{
		{
			ID: "P7", Work: "a subscription comes and goes among 1M", Against: "1k-live", Unit: "ns",
			Target: 2.5, Stretch: 1.5, Version: 1,
			Open: func(h Host) Sides {
				const crowd, few, visitors = 1_000_000, 1_000, 10_000
				w := newWorkload(h, 0, crowd)
				strangers := newWorkload(h, crowd, visitors)
				side := func(name string, live int) Section {
					f := newFanout(h)
					for i := range live {
						subscribeFree(h, f, w.Region(i))
					}
					return comeAndGo(name, f, strangers)
				}
				return Sides{
					Subject: side("spillway", crowd), Baseline: side("1k-live", few),
					Allocating: comeAndGo("", newFanout(h), strangers).Timed,
				}
			},
		},
		subscribing(1_000_000),
		subscribing(10_000),
		{
			ID: "P7w", Work: "broadcast p99 while another goroutine subscribes and cancels", Against: "quiet", Unit: "ns",
			Target: 1.5, Stretch: 1.2, Floor: 2.2, Decision: "0006", Version: 1, Quick: true,
			Open: func(h Host) Sides {
				return Sides{Subject: newStorm(h).section("spillway", true), Baseline: newStorm(h).section("quiet", false)}
			},
		},
	}
}

// subscribing is P7b. The target is for a million; with fewer it is quick, and shows what does not grow in proportion.
func subscribing(n int) Row {
	r := Row{
		ID: "P7b", Case: "subs=" + short(n), Work: fmt.Sprintf("subscribing, %s times from empty", short(n)), Against: "map", Unit: "ns",
		Version: 1, Quick: n < 1_000_000,
		Open: func(h Host) Sides {
			w := newWorkload(h, 0, n)
			keys := w.Keys()
			return Sides{
				Subject: subscribeAll(w), Baseline: fillMap("map", keys, 0), Beside: []Section{fillMap("roomy-map", keys, n)},
				Allocating: subscribeAll(w).Timed,
			}
		},
	}
	if n == 1_000_000 {
		r.Target, r.Stretch = 4, 2.5
	}
	return r
}

// comeAndGo returns the Section in which all of w's entities are subscribed to in f and cancelled, until the last is done.
func comeAndGo(name string, f *fanout, w *Workload) Section {
	live := f.Len()
	subs := make([]*core.Subscription, len(w.Entities))
	var failed error
	return Section{
		Name: name,
		Timed: func() (ops int) {
			for i := range subs {
				s, err := f.Subscribe(context.Background(), w.Region(i), free{})
				if err != nil {
					failed = err
					return 1
				}
				subs[i] = s
			}
			for _, s := range subs {
				s.Cancel()
			}
			<-subs[len(subs)-1].Done()
			return len(subs)
		},
		After: func() error {
			if failed != nil {
				return failed
			}
			for i, s := range subs {
				select {
				case <-s.Done():
				default:
					return fmt.Errorf("subscription %d of %d was cancelled before the last, and is done after it", i, len(subs))
				}
				if !errors.Is(s.Err(), core.ErrCancelled) {
					return fmt.Errorf("subscription %d ended with %w, want ErrCancelled", i, s.Err())
				}
			}
			if got := f.Len(); got != live {
				return fmt.Errorf("%d live afterwards, want %d", got, live)
			}
			return nil
		},
	}
}

// subscribeAll returns the Section that subscribes to every entity of w in a Fanout that begins empty.
func subscribeAll(w *Workload) Section {
	var (
		f      *fanout
		failed error
	)
	return Section{
		Name:   "spillway",
		Before: collected,
		Timed: func() (ops int) {
			f = core.New(core.Config[notification]{Name: "bench", Locate: notification.Point})
			for i := range w.Entities {
				if _, err := f.Subscribe(context.Background(), w.Region(i), free{}); err != nil {
					failed = err
				}
			}
			return len(w.Entities)
		},
		After: func() error {
			defer func() { f = nil }()
			if failed != nil {
				return failed
			}
			if got := f.Len(); got != len(w.Entities) {
				return fmt.Errorf("%d live, want %d", got, len(w.Entities))
			}
			for i := 0; i < len(w.Events); i += 1 + len(w.Events)/1000 {
				if o := f.Broadcast(w.Events[i]); o.Accepted != 1 || o.Pruned != 0 {
					return fmt.Errorf("event %d: outcome %+v, want one accepted", i, o)
				}
			}
			return nil
		},
	}
}

// fillMap returns the Section that fills a Go map with the same keys.
func fillMap(name string, keys []MapKey, room int) Section {
	var m map[MapKey]*int
	return Section{
		Name:   name,
		Before: collected,
		Timed: func() (ops int) {
			m = FillMap(keys, room)
			return len(keys)
		},
		After: func() error {
			defer func() { m = nil }()
			if len(m) != len(keys) {
				return fmt.Errorf("the map has %d keys, want %d", len(m), len(keys))
			}
			return nil
		},
	}
}

// subscribeFree adds a subscription with a sink that costs nothing.
func subscribeFree(h Host, f *fanout, r region.Region) {
	if _, err := f.Subscribe(context.Background(), r, free{}); err != nil {
		h.Fatalf("%s: %v", r, err)
	}
}

// collected is a Section's Before for rows that fill memory: each begins on a heap without garbage.
func collected(int) error {
	runtime.GC()
	return nil
}

// A storm is a Fanout of a thousand subscriptions, and who comes and goes beside them.
type storm struct {
	fanout   *fanout
	events   *Workload
	visitors *Workload
	send     func([]notification) (accepted, refused int)
	drain    func([]notification) (int, uint64)
	blocks   []time.Duration
}

const (
	stormBlock  = 64
	stormBlocks = 1_000 // a round's
)

func newStorm(h Host) *storm {
	const n = 1_000
	s := &storm{
		fanout: newFanout(h), events: newWorkload(h, 0, n), visitors: newWorkload(h, n, n),
		blocks: make([]time.Duration, stormBlocks),
	}
	s.send = broadcasting(s.fanout)
	s.drain = drainOwn(s.events, subscribe(h, s.fanout, n, 1, s.events.Region))
	return s
}

// section measures the 99th percentile of a round's blocks.
func (s *storm) section(name string, stormy bool) Section {
	return Section{Name: name, Own: func() (p99 float64, err error) {
		var coming sync.WaitGroup
		var came error
		calm := make(chan struct{})
		if stormy {
			coming.Go(func() { came = s.comeAndGo(calm) })
		}
		for i := range s.blocks {
			at := i * stormBlock % (len(s.events.Events) / stormBlock * stormBlock)
			block := s.events.Events[at : at+stormBlock]
			start := time.Now()
			accepted, refused := s.send(block)
			s.blocks[i] = time.Since(start) / stormBlock
			if count, _ := s.drain(block); accepted != stormBlock || refused != 0 || count != stormBlock {
				err = fmt.Errorf("block %d: accepted %d, refused %d, drained %d; want %d, 0, %d", i, accepted, refused, count, stormBlock, stormBlock)
				break
			}
		}
		close(calm)
		coming.Wait()
		slices.Sort(s.blocks)
		return float64(s.blocks[len(s.blocks)*99/100].Nanoseconds()), errors.Join(err, came)
	}}
}

// comeAndGo subscribes and cancels without pause until calm is closed.
func (s *storm) comeAndGo(calm <-chan struct{}) error {
	for i := 0; ; i = (i + 1) % len(s.visitors.Entities) {
		sub, err := s.fanout.Subscribe(context.Background(), s.visitors.Region(i), free{})
		if err != nil {
			return err
		}
		sub.Cancel()
		select {
		case <-calm:
			return nil
		default:
		}
	}
}
