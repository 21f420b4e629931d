package core_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestG4NoSilentLoss(t *testing.T) {
	t.Run("one writer: a gapless run, and Missed is the next", func(t *testing.T) {
		for capacity := 1; capacity <= 9; capacity++ {
			f := core.New(located())
			f.Broadcast(event{"a", 0}) // before its time
			s, err := channel.Subscribe(t.Context(), f, about("a"), capacity)
			if err != nil {
				t.Fatal(err)
			}
			for seq := uint64(1); seq <= 40; seq += 2 {
				f.Broadcast(event{"a", seq})
				f.Broadcast(event{"b", seq + 1})
			}
			next := uint64(1)
			for e := range s.C() {
				if e != (event{"a", next}) {
					t.Fatalf("capacity %d: got %v, want a's %d", capacity, e, next)
				}
				next += 2
			}
			wantPruned(t, s, core.PrunedError{
				Fanout: "promises", ID: 1, Region: about("a"), Verdict: core.Full,
				Missed: next, HasMissed: true, Held: capacity,
			})
			if want := uint64(1 + 2*capacity); next != want {
				t.Errorf("capacity %d: missed %d first, want %d", capacity, next, want)
			}
		}
	})
	t.Run("sequence 0 is a sequence", func(t *testing.T) {
		f := core.New(located())
		s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }})
		f.Broadcast(event{"a", 0})
		wait(t, f)
		wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: 1, Verdict: core.Full, Missed: 0, HasMissed: true})
	})
	t.Run("without Locate there is none", func(t *testing.T) {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }})
		f.Broadcast(event{"a", 7})
		wait(t, f)
		wantPruned(t, s, core.PrunedError{ID: 1, Verdict: core.Full})
	})
	t.Run("overlapping: one passed over lowers Missed", func(t *testing.T) {
		missedBy(t, func(f *core.Fanout[event], gate chan struct{}) *core.Subscription {
			subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
				if e.seq == 5 {
					<-gate
				}
				return core.Accepted
			}})
			return subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }})
		})
	})
	t.Run("overlapping: a second refusal lowers Missed", func(t *testing.T) {
		missedBy(t, func(f *core.Fanout[event], gate chan struct{}) *core.Subscription {
			return subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
				if e.seq == 5 {
					<-gate
				}
				return core.Full
			}})
		})
	})
	t.Run("overlapping: a refusal after a Cancel is in no count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate, out := make(chan struct{}), make(chan core.Outcome, 1)
			s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { <-gate; return core.Full }})
			go func() { out <- f.Broadcast(event{"a", 5}) }()
			synctest.Wait()
			s.Cancel()
			close(gate)
			wantOutcome(t, "the overtaken", <-out, core.Outcome{Live: 1})
			<-s.Done()
			if s.Err() != core.ErrCancelled {
				t.Errorf("Err: got %v, want ErrCancelled", s.Err())
			}
			if st := f.Stats(); st.Matched != 0 || st.PrunedFull != 0 || st.Cancelled != 1 {
				t.Errorf("Stats: got %+v, want one cancelled and no offer", st)
			}
		})
	})
	t.Run("overlapping: each offer is accepted or refused, none twice", func(t *testing.T) {
		const writers, each = 8, 200
		for _, capacity := range []int{1, 100, writers * each} {
			f := core.New(located())
			s, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity)
			if err != nil {
				t.Fatal(err)
			}
			sums := make([]core.Outcome, writers)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := range each {
						out := f.Broadcast(event{"a", uint64(i*writers + w)})
						sums[w].Accepted += out.Accepted
						sums[w].Pruned += out.Pruned
						sums[w].Matched += out.Matched
					}
				})
			}
			wg.Wait()
			var sum core.Outcome
			for _, o := range sums {
				sum.Accepted += o.Accepted
				sum.Pruned += o.Pruned
				sum.Matched += o.Matched
			}
			s.Cancel()
			wait(t, f)
			got := make(map[uint64]int)
			for e := range s.C() {
				got[e.seq]++
			}
			if len(got) != sum.Accepted || sum.Accepted != min(capacity, writers*each) || sum.Matched != sum.Accepted+sum.Pruned {
				t.Errorf("capacity %d: received %d, outcomes %+v", capacity, len(got), sum)
			}
			if st := f.Stats(); st.Accepted != uint64(sum.Accepted) || st.Matched != uint64(sum.Matched) {
				t.Errorf("capacity %d: Stats %+v, outcomes %+v", capacity, st, sum)
			}
			if capacity == writers*each {
				continue
			}
			var pruned *core.PrunedError
			if !errors.As(s.Err(), &pruned) || pruned.Held != capacity || got[pruned.Missed] != 0 {
				t.Errorf("capacity %d: %v, and its first missed was received %d times", capacity, s.Err(), got[pruned.Missed])
			}
		}
	})
}

// TestG4NoSilentLossOverlapping has all writers inside before the first refusal.
func TestG4NoSilentLossOverlapping(t *testing.T) {
	const writers, capacity = 64, 10
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate := make(chan struct{})
			subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { <-gate; return core.Accepted }})
			s, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity)
			if err != nil {
				t.Fatal(err)
			}
			for w := range uint64(writers) {
				go f.Broadcast(event{"a", w})
			}
			synctest.Wait()
			close(gate)
			<-s.Done()
			got := make(map[uint64]int)
			for e := range s.C() {
				got[e.seq]++
			}
			missed := uint64(0)
			for got[missed] == 1 {
				missed++
			}
			if len(got) != capacity {
				t.Errorf("received %d, want %d", len(got), capacity)
			}
			wantPruned(t, s, core.PrunedError{
				Fanout: "promises", ID: 2, Verdict: core.Full,
				Missed: missed, HasMissed: true, Held: capacity,
			})
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// missedBy stops event 5 on its way until event 10 has been refused, and 12 passed over.
func missedBy(t *testing.T, open func(f *core.Fanout[event], gate chan struct{}) *core.Subscription) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		gate := make(chan struct{})
		s := open(f, gate)
		go f.Broadcast(event{"a", 5})
		synctest.Wait()
		f.Broadcast(event{"a", 10})
		f.Broadcast(event{"a", 12})
		synctest.Wait()
		if over(s) || s.Err() != nil {
			t.Fatal("over while a Broadcast that began earlier is under way")
		}
		close(gate)
		<-s.Done()
		wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: s.ID(), Verdict: core.Full, Missed: 5, HasMissed: true})
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestG5RegisteredOnReturn(t *testing.T) {
	t.Run("the next Broadcast finds it", func(t *testing.T) {
		f := core.New(located())
		if f.HasSubscribers() || f.Len() != 0 {
			t.Error("a new Fanout has subscribers")
		}
		var first []uint64
		for seq := range uint64(500) {
			s := subscribe(t, f, about("a"), handler{offer: func(e event) core.Verdict {
				if len(first) == int(seq) {
					first = append(first, e.seq)
				}
				return core.Accepted
			}})
			if !f.HasSubscribers() || f.Len() != 1 || s.ID() != seq+1 || s.Region() != about("a") {
				t.Fatalf("after Subscribe %d: Len %d, ID %d, Region %v", seq, f.Len(), s.ID(), s.Region())
			}
			if out := f.Broadcast(event{"a", seq}); out != (core.Outcome{Live: 1, Matched: 1, Accepted: 1}) || first[seq] != seq {
				t.Fatalf("after Subscribe %d: got %+v, and first %d", seq, out, first[seq])
			}
			s.Cancel()
			if f.HasSubscribers() || f.Broadcast(event{"a", seq}) != (core.Outcome{}) {
				t.Fatalf("after Cancel %d it is offered to", seq)
			}
		}
		wait(t, f)
	})
	t.Run("from many goroutines", func(t *testing.T) {
		f := core.New(located())
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				who := string(rune('a' + w))
				for i := range uint64(200) {
					seen := 0
					s, err := f.Subscribe(t.Context(), about(who), handler{offer: func(event) core.Verdict { seen++; return core.Accepted }})
					if err != nil {
						t.Error(err)
						return
					}
					if out := f.Broadcast(event{who, i}); out.Matched != 1 || seen != 1 {
						t.Errorf("%s, %d: got %+v and %d events, want one match", who, i, out, seen)
						return
					}
					s.Cancel()
				}
			})
		}
		wg.Wait()
		wait(t, f)
	})
	t.Run("not before", func(t *testing.T) {
		var f *core.Fanout[event]
		var out core.Outcome
		cfg := located()
		cfg.Observer = observer{subscribed: func(core.Info) { out = f.Broadcast(event{"a", 1}) }}
		f = core.New(cfg)
		var got []uint64
		keep := handler{offer: func(e event) core.Verdict { got = append(got, e.seq); return core.Accepted }}
		f.Broadcast(event{"a", 0})
		s := subscribe(t, f, region.Region{}, keep)
		wantOutcome(t, "inside Subscribed", out, core.Outcome{})
		f.Broadcast(event{"a", 2})
		subscribe(t, f, region.Region{}, handler{})
		wantOutcome(t, "inside the second Subscribed", out, core.Outcome{Live: 1, Matched: 1, Accepted: 1})
		s.Cancel()
		if want := []uint64{2, 1}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestG6Order(t *testing.T) {
	const writers, each = 6, 300
	f := core.New(located())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var subs []*channel.Subscription[event]
	for _, r := range []region.Region{{}, {}, about("w"), about("w:0"), about("w:3")} {
		s, err := channel.Subscribe(ctx, f, r, writers*each)
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, s)
	}
	var wg sync.WaitGroup
	for w := range writers {
		who := "w:" + string(rune('0'+w))
		wg.Go(func() {
			for i := uint64(0); i < each; {
				if i%7 != 0 {
					f.Broadcast(event{who, i})
					i++
					continue
				}
				var many []event
				for ; len(many) < 5 && i < each; i++ {
					many = append(many, event{who, i})
				}
				f.BroadcastAll(many)
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for i, s := range subs {
		next := make(map[string]uint64)
		for e := range s.C() {
			if e.seq != next[e.who] {
				t.Fatalf("subscription %d: got %v, want %d", i, e, next[e.who])
			}
			next[e.who]++
		}
		for who, n := range next {
			if n != each {
				t.Errorf("subscription %d: %d events of %s, want %d", i, n, who, each)
			}
		}
		want := writers
		if i > 2 {
			want = 1
		}
		if len(next) != want {
			t.Errorf("subscription %d heard of %d writers, want %d", i, len(next), want)
		}
	}
}
