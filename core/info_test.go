package core_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A ring is a sink with a type argument, a gauge and losses.
type ring[T any] struct {
	lost  atomic.Uint64
	panic bool
}

func (r *ring[T]) Offer(T) core.Verdict { r.lost.Add(1); return core.Accepted }
func (r *ring[T]) Close(error)          {}
func (r *ring[T]) Held() (held, capacity int) {
	if r.panic {
		panic("no gauge")
	}
	return 3, 8
}

func (r *ring[T]) Lost() uint64 {
	if r.panic {
		panic("no figures")
	}
	return r.lost.Load()
}

func TestInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began, ended []core.Info
		cfg := located()
		cfg.Observer = observer{
			subscribed: func(i core.Info) { began = append(began, i) },
			ended:      func(i core.Info, _ error) { ended = append(ended, i) },
		}
		f := core.New(cfg)
		time.Sleep(time.Hour) // the bubble's
		since := time.Now()
		first := line()
		s, err := f.Subscribe(t.Context(), about("a"), new(ring[event]))
		if err != nil {
			t.Fatal(err)
		}
		c, err := channel.Subscribe(t.Context(), f, region.Region{}, 4)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		f.Broadcast(event{who: "a"})
		want := map[uint64]core.Info{
			s.ID(): {ID: 1, Sink: "*core_test.ring", Region: about("a"), Held: 3, Capacity: 8, Lost: 1, Site: fmt.Sprint("info_test.go:", first+1)},
			c.ID(): {ID: 2, Sink: "channel.sink", Held: 1, Capacity: 4, Site: fmt.Sprint("info_test.go:", first+5)},
		}
		check := func(where string, got core.Info, want core.Info) {
			t.Helper()
			if !got.Since.Equal(since) || !strings.HasSuffix(got.Site, "/"+want.Site) {
				t.Errorf("%s: since %v at %s, want %v at %s", where, got.Since, got.Site, since, want.Site)
			}
			got.Since, got.Site = want.Since, want.Site
			if got != want {
				t.Errorf("%s: got %+v, want %+v", where, got, want)
			}
		}
		listed := 0
		for i := range f.Subscriptions() {
			check("listed", i, want[i.ID])
			listed++
		}
		for range f.Subscriptions() {
			break // the loop may be left
		}
		s.Cancel()
		c.Cancel()
		synctest.Wait()
		if listed != 2 || len(began) != 2 || len(ended) != 2 {
			t.Fatalf("%d listed, %d began, %d ended, want 2 of each", listed, len(began), len(ended))
		}
		for _, i := range ended {
			w := want[i.ID]
			w.Err = core.ErrCancelled
			check("Ended", i, w)
		}
		for _, i := range began {
			w := want[i.ID]
			w.Lost = 0
			if i.ID == c.ID() {
				w.Held = 0
			}
			check("Subscribed", i, w)
		}
	})
}

// line returns the line of its caller.
func line() int {
	_, _, n, _ := runtime.Caller(1)
	return n
}

func TestStatsLost(t *testing.T) {
	f := core.New(located())
	a, b := new(ring[event]), new(ring[event])
	s := subscribe[event](t, f, region.Region{}, a)
	subscribe[event](t, f, region.Region{}, b)
	f.Broadcast(event{})
	f.Broadcast(event{})
	if got := f.Stats().Lost; got != 4 {
		t.Errorf("Lost: got %d, want 4", got)
	}
	s.Cancel()
	wait(t, f)
	f.Broadcast(event{})
	if got := f.Stats().Lost; got != 5 {
		t.Errorf("Lost: got %d, want 5: 2 of the one that ended, 3 of the other", got)
	}
	b.panic = true
	if st := f.Stats(); st.Lost != 2 {
		t.Errorf("Stats with a Lost that panics: got %+v, want 2 lost", st)
	}
	for i := range f.Subscriptions() {
		if i.Held != 0 || i.Lost != 0 {
			t.Errorf("Info of a sink that panics: got %+v", i)
		}
	}
	if got := f.Stats().Panics; got == 0 {
		t.Error("Panics: got 0, want them counted")
	}
	_ = f.Close()
	wait(t, f)
}

func TestDone(t *testing.T) {
	f := core.New(located())
	a := subscribe(t, f, region.Region{}, handler{})
	b := subscribe(t, f, region.Region{}, handler{})
	early := a.Done()
	if a.Done() != early {
		t.Error("Done gave two channels")
	}
	a.Cancel()
	b.Cancel()
	wait(t, f)
	<-early
	<-a.Done()
	<-b.Done() // asked for first when it is over
	if a.Err() != core.ErrCancelled || b.Err() != core.ErrCancelled {
		t.Errorf("Err: got %v and %v, want ErrCancelled", a.Err(), b.Err())
	}
}

func TestPoint(t *testing.T) {
	f := core.New(located())
	if p, ok := f.Point(event{"a", 7}); !ok || p != (region.Point{Entity: "a", Sequence: 7}) || f.Name() != "promises" {
		t.Errorf("got %+v, %v, name %q", p, ok, f.Name())
	}
	if p, ok := core.New(core.Config[event]{}).Point(event{"a", 7}); ok || p != (region.Point{}) {
		t.Errorf("without Locate: got %+v, %v, want none", p, ok)
	}
	var _ core.Source = f
}
