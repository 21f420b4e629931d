package core_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// In a bubble a Broadcast that waited for one of these would be reported as a deadlock.
func TestG1NeverPaced(t *testing.T) {
	t.Run("by a reader that does not read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			slow, err := channel.Subscribe(t.Context(), f, region.Region{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			wantOutcome(t, "first", f.Broadcast(event{}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
			wantOutcome(t, "second", f.Broadcast(event{}), core.Outcome{Live: 1, Matched: 1, Pruned: 1})
			<-slow.Done()
			wantOutcome(t, "third", f.Broadcast(event{}), core.Outcome{})
		})
	})
	t.Run("by a Close that blocks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate := make(chan struct{})
			subscribe(t, f, region.Region{}, handler{close: func(error) { <-gate }}).Cancel()
			synctest.Wait()
			stuckBehind(t, f, gate)
		})
	})
	t.Run("by an Observer's Ended that blocks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			cfg := located()
			cfg.Observer = observer{ended: func(core.Info, error) { <-gate }}
			f := core.New(cfg)
			subscribe(t, f, region.Region{}, handler{}).Cancel()
			synctest.Wait()
			stuckBehind(t, f, gate)
		})
	})
	t.Run("by an Observer's Subscribed that blocks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			cfg := located()
			cfg.Observer = observer{subscribed: func(i core.Info) {
				if i.Region == about("slow") {
					<-gate
				}
			}}
			f := core.New(cfg)
			go func() { _, _ = f.Subscribe(t.Context(), about("slow"), handler{}) }()
			synctest.Wait()
			s := subscribe(t, f, region.Region{}, handler{})
			wantOutcome(t, "meanwhile", f.Broadcast(event{who: "slow"}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
			s.Cancel()
			<-s.Done()
			close(gate)
		})
	})
	t.Run("by another Broadcast that hangs in a sink", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate := make(chan struct{})
			stuck := subscribe(t, f, about("stuck"), handler{offer: func(event) core.Verdict { <-gate; return core.Accepted }})
			go f.Broadcast(event{who: "stuck"})
			synctest.Wait()
			s := subscribe(t, f, about("free"), handler{})
			for range 1000 {
				wantOutcome(t, "meanwhile", f.Broadcast(event{who: "free"}), core.Outcome{Live: 2, Matched: 1, Accepted: 1})
			}
			s.Cancel()
			stuck.Cancel() // neither waits
			synctest.Wait()
			if over(stuck) {
				t.Error("Done closed while an Offer was under way")
			}
			close(gate)
			<-stuck.Done()
			<-s.Done()
		})
	})
}

// stuckBehind broadcasts, subscribes and cancels while the reaper hangs in user code until gate closes.
func stuckBehind(t *testing.T, f *core.Fanout[event], gate chan struct{}) {
	t.Helper()
	events, ends := 0, 0
	s := subscribe(t, f, region.Region{}, handler{
		offer: func(event) core.Verdict { events++; return core.Accepted },
		close: func(error) { ends++ },
	})
	for range 1000 {
		f.Broadcast(event{})
	}
	s.Cancel()
	time.Sleep(3 * time.Second) // the bubble's
	if got := f.Stats(); got.Retiring != 2 || got.SlowClose < 2*time.Second || got.Live != 0 {
		t.Errorf("Stats while it blocks: got %+v, want Retiring 2, SlowClose of 3 s, Live 0", got)
	}
	if events != 1000 || ends != 0 {
		t.Errorf("while it blocks: got %d events and %d ends, want 1000 and 0", events, ends)
	}
	close(gate)
	<-s.Done()
	synctest.Wait()
	if got := f.Stats(); got.Retiring != 0 || got.SlowClose != 0 {
		t.Errorf("Stats afterwards: got %+v, want Retiring 0, SlowClose 0", got)
	}
}

func TestG2FilteredAtPush(t *testing.T) {
	regions := []region.Region{
		{},
		about("a"), about("a:b"), about("a:b:c"), about("b"),
		{Scope: "s"},
		{Entity: "a", Scope: "s"},
		{Kind: region.OneKind(0x1001)},
		{Kind: region.InCategory(1)},
		{Entity: "a", Kind: region.InCategory(1)},
		{Lane: region.OneLane(0)},
		{Lane: region.OneLane(7)},
		{Entity: "a:b", Scope: "s", Kind: region.OneKind(0x1001), Lane: region.OneLane(7)},
	}
	var points []region.Point
	for _, entity := range []string{"a", "a:b", "a:b:c:d", "ab", "b"} {
		for _, scope := range []string{"s", "t"} {
			for _, kind := range []region.Kind{0x1001, 0x1002, 0x2001} {
				for _, lane := range []uint32{0, 7} {
					points = append(points, region.Point{Entity: entity, Scope: scope, Kind: kind, Lane: lane})
				}
			}
		}
	}
	f := core.New(core.Config[region.Point]{Locate: func(p region.Point) region.Point { return p }})
	got := make([]map[region.Point]int, len(regions))
	for i, r := range regions {
		got[i] = make(map[region.Point]int)
		subscribe(t, f, r, &tally{got[i]})
	}
	for _, p := range points {
		want := 0
		for _, r := range regions {
			if r.Match(p) {
				want++
			}
		}
		wantOutcome(t, fmt.Sprintf("Broadcast(%+v)", p), f.Broadcast(p), core.Outcome{Live: len(regions), Matched: want, Accepted: want})
	}
	for i, r := range regions {
		for _, p := range points {
			want := 0
			if r.Match(p) {
				want = 1
			}
			if got[i][p] != want {
				t.Errorf("region %v, point %+v: offered %d times, want %d", r, p, got[i][p], want)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wait(t, f)
}

// A tally counts what it is offered.
type tally struct{ got map[region.Point]int }

func (s *tally) Offer(p region.Point) core.Verdict { s.got[p]++; return core.Accepted }
func (s *tally) Close(error)                       {}

func TestG3PrunedOnRefusal(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  core.Verdict
		verdict core.Verdict
	}{
		{"Full", core.Full, core.Full},
		{"Closed", core.Closed, core.Closed},
		{"no Verdict at all", 77, core.Closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := core.New(located())
			var before, after []uint64
			keep := func(to *[]uint64) handler {
				return handler{offer: func(e event) core.Verdict { *to = append(*to, e.seq); return core.Accepted }}
			}
			subscribe(t, f, about("a"), keep(&before))
			offers, closes := 0, []error(nil)
			s := subscribe(t, f, about("a"), handler{
				offer: func(e event) core.Verdict {
					if offers++; e.seq == 3 {
						return c.answer
					}
					return core.Accepted
				},
				close: func(cause error) { closes = append(closes, cause) },
			})
			subscribe(t, f, about("a"), keep(&after))
			for seq := uint64(1); seq <= 5; seq++ {
				want := core.Outcome{Live: 3, Matched: 3, Accepted: 3}
				switch {
				case seq == 3:
					want = core.Outcome{Live: 3, Matched: 3, Accepted: 2, Pruned: 1}
				case seq > 3:
					want = core.Outcome{Live: 2, Matched: 2, Accepted: 2}
				}
				wantOutcome(t, fmt.Sprint("event ", seq), f.Broadcast(event{"a", seq}), want)
			}
			wait(t, f)
			if offers != 3 {
				t.Errorf("got %d offers, want 3: none after the refusal", offers)
			}
			if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(before, want) || !slices.Equal(after, want) {
				t.Errorf("the others got %v and %v, want %v", before, after, want)
			}
			if len(closes) != 1 || closes[0] != s.Err() {
				t.Fatalf("Close: got %v, want once, with Err, which is %v", closes, s.Err())
			}
			wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: 2, Region: about("a"), Verdict: c.verdict, Missed: 3, HasMissed: true})
			st := f.Stats()
			if full, closed := st.PrunedFull == 1, st.PrunedClosed == 1; full == closed || full != (c.verdict == core.Full) || st.Live != 2 {
				t.Errorf("Stats: got %+v, want one pruned for %v, two live", st, c.verdict)
			}
		})
	}
	t.Run("once, of many writers", func(t *testing.T) {
		var ended atomic.Int64
		cfg := located()
		cfg.Observer = observer{ended: func(core.Info, error) { ended.Add(1) }}
		for range 50 {
			ended.Store(0)
			f := core.New(cfg)
			s, err := channel.Subscribe(t.Context(), f, region.Region{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			var pruned atomic.Int64
			var writers sync.WaitGroup
			for range 8 {
				writers.Go(func() {
					for range 10 {
						pruned.Add(int64(f.Broadcast(event{}).Pruned))
					}
				})
			}
			writers.Wait()
			<-s.Done()
			held := 0
			for range s.C() {
				held++
			}
			if pruned.Load() != 1 || ended.Load() != 1 || held != 10 || f.Stats().PrunedFull != 1 {
				t.Fatalf("got %d prunes, %d ends, %d still readable, PrunedFull %d, want 1, 1, 10, 1",
					pruned.Load(), ended.Load(), held, f.Stats().PrunedFull)
			}
		}
	})
}

// wantPruned compares why s ended, all but the Cause.
func wantPruned(t testing.TB, s interface{ Err() error }, want core.PrunedError) {
	t.Helper()
	var got *core.PrunedError
	if !errors.As(s.Err(), &got) || !errors.Is(s.Err(), core.ErrPruned) {
		t.Fatalf("Err: got %v, want a *PrunedError", s.Err())
	}
	pruned := *got
	pruned.Cause = want.Cause
	if pruned != want {
		t.Errorf("Err: got %+v, want %+v", pruned, want)
	}
}
