package core_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An old handle, cancelled again when another subscription has its place in registry and index, ends nobody.
func TestH25OldHandle(t *testing.T) {
	f := core.New(located())
	var old []*core.Subscription
	for range 20 {
		old = append(old, subscribe(t, f, about("a"), handler{}))
	}
	for _, s := range old {
		s.Cancel()
	}
	wait(t, f)
	for range 20 {
		subscribe(t, f, about("a"), handler{})
	}
	for _, s := range old {
		s.CancelCause(errMine)
	}
	wait(t, f)
	wantOutcome(t, "Broadcast", f.Broadcast(event{"a", 1}), core.Outcome{Live: 20, Matched: 20, Accepted: 20})
	if st := f.Stats(); st.Cancelled != 20 || old[0].Err() != core.ErrCancelled {
		t.Errorf("Stats %+v, Err %v; want 20 cancelled, the first reason", st, old[0].Err())
	}
}

// While a broadcast walks a list, those in it end and others come in their places: none of these gets an
// event from outside its Region, and none that lives is passed by.
func TestH26PlacesOfTheEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		wrong := 0
		only := func(who string) handler {
			return handler{offer: func(e event) core.Verdict {
				if e.who != who {
					wrong++
				}
				return core.Accepted
			}}
		}
		var early []*core.Subscription
		last := 0
		subscribe(t, f, about("a"), handler{offer: func(e event) core.Verdict {
			if e.seq != 1 {
				return core.Accepted
			}
			for _, s := range early {
				s.Cancel()
			}
			synctest.Wait()
			for range 10 {
				subscribe(t, f, about("a"), only("a"))
				subscribe(t, f, about("b"), only("b"))
				subscribe(t, f, about("c"), only("c"))
			}
			return core.Accepted
		}})
		for range 30 {
			early = append(early, subscribe(t, f, about("a"), handler{offer: func(event) core.Verdict {
				t.Error("offered to one that is over")
				return core.Accepted
			}}))
		}
		subscribe(t, f, about("a"), handler{offer: func(event) core.Verdict { last++; return core.Accepted }})
		f.Broadcast(event{"a", 1})
		wait(t, f)
		for i, who := range []string{"a", "b", "c"} {
			want := []int{12, 10, 10}[i]
			wantOutcome(t, who, f.Broadcast(event{who, 2}), core.Outcome{Live: 32, Matched: want, Accepted: want})
		}
		if wrong != 0 || last != 2 {
			t.Errorf("%d events in the wrong Region; the last of the list got %d of 2", wrong, last)
		}
	})
}

// Whatever panics in a broadcast, the grace is left: what ends afterwards is closed.
func TestH29PanicsLeaveTheGrace(t *testing.T) {
	for name, c := range map[string]struct {
		locate func(event) region.Point
		offer  func(event) core.Verdict
	}{
		"Locate":         {func(event) region.Point { panic(errMine) }, nil},
		"Locate exits":   {func(event) region.Point { runtime.Goexit(); return region.Point{} }, nil},
		"Offer":          {event.Point, func(event) core.Verdict { panic(errMine) }},
		"Offer exits":    {event.Point, func(event) core.Verdict { runtime.Goexit(); return core.Full }},
		"runtime fault":  {event.Point, func(e event) core.Verdict { return core.Verdict([]byte(nil)[e.seq]) }},
		"misused inside": {event.Point, func(event) core.Verdict { panic(new(core.MisuseError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(core.Config[event]{Locate: c.locate})
				closes := 0
				subscribe(t, f, about("a"), handler{offer: c.offer, close: func(error) { closes++ }})
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						defer func() { _ = recover() }()
						f.Broadcast(event{"a", 1})
					})
					wg.Go(func() {
						defer func() { _ = recover() }()
						f.BroadcastAll(make([]event, 3))
					})
				}
				wg.Wait()
				s := subscribe(t, f, about("b"), handler{close: func(error) { closes++ }})
				s.Cancel()
				_ = f.Close()
				wait(t, f)
				if closes != 2 || !over(s) || f.Stats().Retiring != 0 {
					t.Errorf("closed %d of 2, over %v, Stats %+v", closes, over(s), f.Stats())
				}
			})
		})
	}
}

// Broadcasts overlap like the links of a chain, so that one is inside at all times. What ends is closed within
// four more, not when the count comes to nought: the reaper may have to wait first for those that were inside
// when it began an earlier wait, and then for those that came meanwhile.
func TestH30SomebodyIsAlwaysInside(t *testing.T) {
	const links = 40
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		var leave [links]chan struct{}
		var victims [links]*core.Subscription // the i-th is cancelled inside the i-th link
		turn := make(chan uint64, 1)
		subscribe(t, f, about("link"), handler{offer: func(e event) core.Verdict {
			synctest.Wait()
			for i, v := range victims[:e.seq] {
				if age := int(e.seq) - i; age == 1 && over(v) || age >= 4 && !over(v) {
					t.Errorf("inside link %d: the one cancelled inside link %d is over: %v", e.seq, i, over(v))
				}
			}
			victims[e.seq].Cancel()
			if e.seq > 0 {
				close(leave[e.seq-1])
			}
			turn <- e.seq + 1
			if e.seq < links-1 {
				<-leave[e.seq]
			}
			return core.Accepted
		}})
		for i := range victims {
			leave[i] = make(chan struct{})
			victims[i] = subscribe(t, f, about("victim"), handler{})
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for n := range turn {
					if n == links {
						close(turn)
						return
					}
					f.Broadcast(event{"link", n})
				}
			})
		}
		turn <- 0
		wg.Wait()
		wait(t, f)
		if f.Len() != 1 {
			t.Errorf("Len %d, want none of the victims", f.Len())
		}
	})
}

// Who ends inside a nested broadcast is closed once, when the outermost has left.
func TestH31EndedInsideANestedBroadcast(t *testing.T) {
	for _, ending := range []string{"Cancel", "refusal", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			closes := 0
			var s *core.Subscription
			s = subscribe(t, f, region.Region{}, handler{
				offer: func(e event) core.Verdict {
					if e.seq < 5 {
						f.Broadcast(event{"a", e.seq + 1})
						synctest.Wait()
						if closes != 0 {
							t.Errorf("%s: closed at depth %d", ending, e.seq)
						}
						return core.Accepted
					}
					switch ending {
					case "Cancel":
						s.Cancel()
					case "panic":
						panic(errMine)
					default:
						return core.Full
					}
					return core.Accepted
				},
				close: func(error) { closes++ },
			})
			f.Broadcast(event{"a", 1})
			synctest.Wait()
			if closes != 1 || !over(s) {
				t.Errorf("%s: closed %d times, over %v", ending, closes, over(s))
			}
		})
	}
}

// A Close that never returns holds up no broadcast and no Subscribe; the ends behind it wait, and Stats says so.
func TestH32CloseThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		gate := make(chan struct{})
		subscribe(t, f, region.Region{}, handler{
			offer: func(event) core.Verdict { return core.Full },
			close: func(error) { <-gate },
		})
		f.Broadcast(event{})
		synctest.Wait()
		behind := subscribe(t, f, region.Region{}, handler{})
		for i := range uint64(1000) {
			wantOutcome(t, "Broadcast", f.Broadcast(event{"a", i}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
		}
		behind.Cancel()
		synctest.Wait()
		if st := f.Stats(); over(behind) || st.Retiring != 2 || f.Len() != 0 {
			t.Errorf("over %v, Stats %+v; want it to wait", over(behind), st)
		}
		close(gate)
		wait(t, f)
		if !over(behind) || !errors.Is(behind.Err(), core.ErrCancelled) {
			t.Errorf("over %v, Err %v", over(behind), behind.Err())
		}
	})
}

// Nobody keeps the Subscription, and it goes on all the same: the registry does.
func TestH40DroppedHandle(t *testing.T) {
	f := core.New(located())
	got := 0
	subscribe(t, f, about("a"), handler{offer: func(event) core.Verdict { got++; return core.Accepted }})
	for i := range uint64(5) {
		runtime.GC()
		f.Broadcast(event{"a", i})
	}
	if got != 5 || f.Len() != 1 {
		t.Errorf("got %d events of 5, Len %d", got, f.Len())
	}
}
