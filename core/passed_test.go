package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The last one live is pruned by event 6; event 5, of a broadcast that overlaps, finds nobody live, and
// still has to tell who was pruned. It is in no count.
func TestG4MissedKnowsBroadcastsThatFindNobody(t *testing.T) {
	for name, broadcast := range map[string]func(f *core.Fanout[event], seq uint64) core.Outcome{
		"Broadcast":    func(f *core.Fanout[event], seq uint64) core.Outcome { return f.Broadcast(event{"a", seq}) },
		"BroadcastAll": func(f *core.Fanout[event], seq uint64) core.Outcome { return f.BroadcastAll([]event{{"a", seq}}) },
	} {
		t.Run(name, func(t *testing.T) {
			var f *core.Fanout[event]
			nested := false
			cfg := located()
			locate := cfg.Locate
			cfg.Locate = func(e event) region.Point {
				if e.seq == 6 && !nested { // 6 is refused: its sequence is being asked for
					nested = true
					if out := broadcast(f, 5); out != (core.Outcome{}) {
						t.Errorf("the one that finds nobody: got %+v, want nothing", out)
					}
				}
				return locate(e)
			}
			f = core.New(cfg)
			s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }})
			broadcast(f, 6)
			<-s.Done()
			var pruned *core.PrunedError
			if !errors.As(s.Err(), &pruned) || !pruned.HasMissed || pruned.Missed != 5 {
				t.Errorf("Err: got %v, want 5 as the first missed", s.Err())
			}
			if st := f.Stats(); st.Broadcasts != 1 || st.Matched != 1 || st.PrunedFull != 1 {
				t.Errorf("Stats: got %+v, want one broadcast", st)
			}
		})
	}
}

// Locate panics on the event that is refused. Later events, passed over, have sequences, but none of them is
// known to be the first missed: HasMissed is false.
func TestG4NoMissedAfterAPanicInLocate(t *testing.T) {
	var f *core.Fanout[event]
	cfg := located()
	locate := cfg.Locate
	cfg.Locate = func(e event) region.Point {
		if e.seq == 5 {
			panic("no place")
		}
		return locate(e)
	}
	f = core.New(cfg)
	s := subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
		if e.seq == 5 {
			return core.Full
		}
		return core.Accepted
	}})
	subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
		if e.seq == 7 { // as long as this is being offered, the grace is not over
			func() {
				defer func() { _ = recover() }()
				f.Broadcast(event{"a", 5})
			}()
			f.Broadcast(event{"a", 6})
		}
		return core.Accepted
	}})
	f.Broadcast(event{"a", 7})
	<-s.Done()
	var pruned *core.PrunedError
	if !errors.As(s.Err(), &pruned) || pruned.HasMissed {
		t.Errorf("Err: got %v, want one that does not say what was missed first", s.Err())
	}
}

// A namer looks at its Subscription's number in Attach.
type namer struct {
	handler
	id *uint64
}

func (n namer) Attach(s *core.Subscription) { *n.id = s.ID() }

func TestIDIsThereInAttach(t *testing.T) {
	f := core.New(located())
	subscribe(t, f, region.Region{}, handler{})
	var id uint64
	s, err := f.Subscribe(context.Background(), region.Region{}, namer{handler{}, &id})
	if err != nil || id == 0 || id != s.ID() {
		t.Errorf("in Attach %d, afterwards %d, %v", id, s.ID(), err)
	}
}
