//go:build spillway_steps

package core_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// once makes OnStep's function run do when a step of this name is come to first.
func once(t *testing.T, name string, do func()) {
	t.Helper()
	t.Cleanup(func() { core.OnStep(nil) })
	var done atomic.Bool
	core.OnStep(func(step string) {
		if step == name && done.CompareAndSwap(false, true) {
			do()
		}
	})
}

// A subscription ends between a broadcast's look at its state and the offer, or the send. Its sink is
// open still, and is closed after the broadcast has left.
func TestH2EndBetweenLookAndOffer(t *testing.T) {
	for _, name := range []string{"a sink", "a channel"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(located())
				got, closed := 0, false
				var sink core.Sink[event] = handler{
					offer: func(event) core.Verdict {
						if closed {
							t.Error("Offer after Close")
						}
						got++
						return core.Accepted
					},
					close: func(error) { closed = true },
				}
				p := &pipe{t: t, c: make(chan event, 1)}
				if name == "a channel" {
					sink = p
				}
				s := subscribe(t, f, region.Region{}, sink)
				once(t, "broadcast:offering", func() {
					s.Cancel()
					synctest.Wait()
					if over(s) {
						t.Error("over while a broadcast may still offer")
					}
				})
				wantOutcome(t, "cancelled on the way", f.Broadcast(event{"a", 1}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
				synctest.Wait()
				if !over(s) || s.Err() != core.ErrCancelled {
					t.Errorf("over %v, Err %v", over(s), s.Err())
				}
				if name == "a channel" {
					_, first := <-p.c
					_, second := <-p.c
					if !first || second {
						t.Errorf("the channel holds an event %v, and another %v; want one, then its end", first, second)
					}
				} else if got != 1 || !closed {
					t.Errorf("offered %d events, closed %v; want 1, true", got, closed)
				}
			})
		})
	}
}

// The same for a channel that is full: the refusal comes after the Cancel, and is in no count.
func TestH2RefusedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		s := subscribe(t, f, region.Region{}, &pipe{t: t, c: make(chan event)})
		once(t, "broadcast:offering", s.Cancel)
		wantOutcome(t, "cancelled on the way", f.Broadcast(event{"a", 1}), core.Outcome{Live: 1})
		synctest.Wait()
		if st := f.Stats(); s.Err() != core.ErrCancelled || st.Matched != 0 || st.PrunedFull != 0 || st.Cancelled != 1 {
			t.Errorf("Err %v, Stats %+v", s.Err(), st)
		}
	})
}

// A broadcast reads the epoch, is stopped, and counts itself into one that is closed by then. It must
// notice, or the next one that ends is closed under it.
func TestH28CountedIntoAClosedEpoch(t *testing.T) {
	for _, epochs := range []int{1, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			var early []*core.Subscription
			for range epochs {
				early = append(early, subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict {
					t.Error("offered to one that is over")
					return core.Accepted
				}}))
			}
			closed := false
			var s *core.Subscription
			s = subscribe(t, f, region.Region{}, handler{
				offer: func(event) core.Verdict {
					s.Cancel()
					synctest.Wait()
					if closed || over(s) {
						t.Errorf("after %d epochs: closed while it is being offered an event", epochs)
					}
					return core.Accepted
				},
				close: func(error) { closed = true },
			})
			once(t, "grace:read-epoch", func() {
				for _, e := range early {
					e.Cancel()
					<-e.Done() // one epoch each
				}
			})
			wantOutcome(t, "Broadcast", f.Broadcast(event{"a", 1}), core.Outcome{Live: 1 + epochs, Matched: 1, Accepted: 1})
			synctest.Wait()
			if !closed || !over(s) {
				t.Errorf("after %d epochs: closed %v, over %v", epochs, closed, over(s))
			}
		})
	}
}

// The reaper has looked at the count and is about to park when the last broadcast leaves: it is woken, or looks
// again. No other broadcast comes.
func TestH28LastOneLeavesBeforeThePark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		gate, left := make(chan struct{}), make(chan struct{})
		s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { <-gate; return core.Accepted }})
		go func() { f.Broadcast(event{}); close(left) }()
		synctest.Wait()
		once(t, "grace:opened-epoch", func() {
			close(gate)
			<-left
		})
		s.Cancel()
		synctest.Wait()
		if !over(s) {
			t.Error("not over, and nobody is inside")
		}
	})
}

// A push comes when the reaper has found its list empty and is about to go: one of the two sees the other.
func TestH30PushedAsTheReaperGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		a, b := subscribe(t, f, region.Region{}, handler{}), subscribe(t, f, region.Region{}, handler{})
		once(t, "reaper:said-idle", b.Cancel)
		a.Cancel()
		synctest.Wait()
		if !over(a) || !over(b) || f.Len() != 0 {
			t.Errorf("over %v and %v, Len %d", over(a), over(b), f.Len())
		}
	})
}
