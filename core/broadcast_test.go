package core_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestBroadcastAll(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 512, 1000} {
		t.Run(fmt.Sprint(n, " events"), func(t *testing.T) {
			f := core.New(located())
			events := make([]event, n)
			for i := range events {
				events[i] = event{[]string{"a", "b"}[i%2], uint64(i)}
			}
			wantOutcome(t, "to nobody", f.BroadcastAll(events), core.Outcome{})
			all, err := channel.Subscribe(t.Context(), f, region.Region{}, n+1)
			if err != nil {
				t.Fatal(err)
			}
			half := subscribe(t, f, about("b"), handler{})
			few := subscribe(t, f, region.Region{}, &bounded{room: 299})
			live := 3
			if n == 0 {
				live = 0
			}
			accepted, pruned := n+n/2+min(n, 299), 0
			if n > 299 {
				pruned = 1
			}
			wantOutcome(t, "to three", f.BroadcastAll(events),
				core.Outcome{Live: live, Matched: accepted + pruned, Accepted: accepted, Pruned: pruned})
			if st := f.Stats(); st.Broadcasts != uint64(n) || st.Accepted != uint64(accepted) || st.Matched != uint64(accepted+pruned) {
				t.Errorf("Stats: got %+v, want %d broadcasts, %d accepted", st, n, accepted)
			}
			all.Cancel()
			i := 0
			for e := range all.C() {
				if e != events[i] {
					t.Fatalf("got %v, want %v", e, events[i])
				}
				i++
			}
			half.Cancel()
			wait(t, f)
			if i != n || (few.Err() != nil) != (pruned == 1) {
				t.Errorf("got %d events, want %d; the bounded one ended with %v", i, n, few.Err())
			}
			_ = f.Close()
			wait(t, f)
		})
	}
}

// What begins and ends within one BroadcastAll is found, and left out, by its later events.
func TestBroadcastAllMeanwhile(t *testing.T) {
	f := core.New(located())
	events := make([]event, 600)
	for i := range events {
		events[i].seq = uint64(i)
	}
	var late, self *core.Subscription
	heard, own := uint64(0), 0
	subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
		switch e.seq {
		case 100:
			late = subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict { heard++; return core.Accepted }})
		case 550:
			late.Cancel()
		}
		return core.Accepted
	}})
	self = subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict {
		if own++; own == 10 {
			self.Cancel()
		}
		return core.Accepted
	}})
	out := f.BroadcastAll(events)
	if own != 10 || heard < 550-101 || heard > 550-100 {
		t.Errorf("got %d and %d events, want 10, and 449 or 450", own, heard)
	}
	wantOutcome(t, "BroadcastAll", out, core.Outcome{Live: 2, Matched: 610 + int(heard), Accepted: 610 + int(heard)})
	_ = f.Close()
	wait(t, f)
}

// A BroadcastAll stays nobody's neighbour for long: what ends while it runs is over before it is.
func TestBroadcastAllRenewsItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		var victim *core.Subscription
		i := 0
		subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict {
			switch i++; i {
			case 10:
				victim.Cancel()
				synctest.Wait() // the reaper waits for this stay to end
				if over(victim) {
					t.Error("over within the stay that it was cancelled in")
				}
			case 300:
				synctest.Wait()
				if !over(victim) {
					t.Error("not over 290 events later: the grace was not renewed")
				}
			}
			return core.Accepted
		}})
		victim = subscribe(t, f, region.Region{}, handler{})
		f.BroadcastAll(make([]event, 600))
		_ = f.Close()
	})
}

func TestStatsCountBroadcasts(t *testing.T) {
	f := core.New(located())
	f.Broadcast(event{})
	s := subscribe(t, f, about("a"), handler{})
	f.Broadcast(event{who: "a"})
	f.Broadcast(event{who: "b"}) // somebody lives, whom it doesn't concern
	s.Cancel()
	f.Broadcast(event{})
	wait(t, f)
	st := f.Stats()
	if st.Broadcasts != 2 || st.Matched != 1 || st.Accepted != 1 {
		t.Errorf("Stats: got %+v, want 2 broadcasts that found somebody, 1 accepted", st)
	}
}
