package core_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A leaver is a sink whose answers about itself leave by runtime.Goexit while leaving is set.
type leaver struct {
	handler
	leaving *atomic.Bool
}

func (l leaver) leave() {
	if l.leaving.Load() {
		runtime.Goexit()
	}
}

func (l leaver) Held() (held, capacity int) { l.leave(); return 3, 4 }

func (l leaver) Lost() uint64 { l.leave(); return 0 }

// TestHeldExits: a Held that calls runtime.Goexit takes its caller's goroutine along, and nothing else: what the
// sink has answered counts, and the others get their event.
func TestHeldExits(t *testing.T) {
	answers := map[string]struct {
		offer    func(event) core.Verdict
		warned   bool
		want     core.Verdict
		panicked bool
	}{
		"Full":             {offer: func(event) core.Verdict { return core.Full }, want: core.Full},
		"Closed":           {offer: func(event) core.Verdict { return core.Closed }, want: core.Closed},
		"Offer panics":     {offer: func(event) core.Verdict { panic(errMine) }, want: core.Closed, panicked: true},
		"Offer exits":      {offer: func(event) core.Verdict { runtime.Goexit(); return core.Full }, want: core.Closed, panicked: true},
		"Accepted, warned": {warned: true, want: core.Accepted},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, ended := 0, 0
				told := observer{
					subscribed: func(core.Info) { begun++ },
					ended:      func(core.Info, error) { ended++ },
				}
				cfg := located()
				cfg.Observer = told
				if a.warned {
					cfg.Observer = warned{observer: told}
				}
				f := core.New(cfg)
				var others [2]int
				count := func(i int) handler {
					return handler{offer: func(event) core.Verdict { others[i]++; return core.Accepted }}
				}
				var leaving atomic.Bool
				subscribe(t, f, region.Region{}, count(0))
				s := subscribe[event](t, f, region.Region{}, leaver{handler{offer: a.offer}, &leaving})
				subscribe(t, f, region.Region{}, count(1))
				leaving.Store(true)
				for seq := range uint64(2) {
					go f.Broadcast(event{"a", seq + 7})
					synctest.Wait()
				}
				if others != [2]int{2, 2} {
					t.Errorf("the others got %v events, want 2 each", others)
				}
				if a.want == core.Accepted {
					leaving.Store(false)
					if s.Err() != nil || f.Stats().Accepted != 6 {
						t.Errorf("Err %v, Stats %+v: want a live subscription and 6 accepted", s.Err(), f.Stats())
					}
					leaving.Store(true)
					s.Cancel()
				} else {
					var pruned *core.PrunedError
					if !errors.As(s.Err(), &pruned) || pruned.Verdict != a.want || !pruned.HasMissed || pruned.Missed != 7 || (pruned.Cause != nil) != a.panicked {
						t.Errorf("Err: got %v, want pruned, %s, from 7 on", s.Err(), a.want)
					}
				}
				<-s.Done()
				leaving.Store(false)
				_ = f.Close()
				wait(t, f)
				if begun != 3 || ended != 3 {
					t.Errorf("Observer: told of %d beginnings and %d ends, want 3 each", begun, ended)
				}
				if st := f.Stats(); st.Matched != st.Accepted+st.PrunedFull+st.PrunedClosed || st.Subscribed != st.Cancelled+st.PrunedFull+st.PrunedClosed {
					t.Errorf("Stats don't add up: %+v", st)
				}
			})
		})
	}
}

// TestHeldExitsInSubscribe: where a Held takes the subscriber's goroutine along, the Observer is told of the beginning too.
func TestHeldExitsInSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		cfg := located()
		cfg.Observer = observer{
			subscribed: func(i core.Info) { told = append(told, "began "+i.Region.String()) },
			ended:      func(i core.Info, _ error) { told = append(told, "ended "+i.Region.String()) },
		}
		f := core.New(cfg)
		var leaving atomic.Bool
		leaving.Store(true)
		go func() { _, _ = f.Subscribe(context.Background(), about("a"), leaver{handler{}, &leaving}) }()
		synctest.Wait()
		if len(told) != 2 || told[0] != "began entity=a" || told[1] != "ended entity=a" || f.Len() != 0 {
			t.Errorf("told %q, Len %d; want a beginning, an end, and nobody", told, f.Len())
		}
	})
}

// TestAttachExits: what Attach kept is over when it has not returned, for whoever waits for that.
func TestAttachExits(t *testing.T) {
	for name, leave := range map[string]func(){"panics": func() { panic(errMine) }, "exits": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(located())
				var kept atomic.Pointer[core.Subscription]
				a := &attached{keep: &kept, attach: leave}
				a.close = func(error) { t.Error("Close called") }
				go func() {
					defer func() { _ = recover() }()
					_, _ = f.Subscribe(context.Background(), region.Region{}, a)
				}()
				synctest.Wait()
				if s := kept.Load(); !over(s) || s.Err() != core.ErrCancelled {
					t.Errorf("over %v, Err %v; want true, ErrCancelled", over(s), s.Err())
				}
				if st := f.Stats(); st.Subscribed != 0 || st.Cancelled != 0 || st.Retiring != 0 {
					t.Errorf("Stats: got %+v, want nobody", st)
				}
			})
		})
	}
}
