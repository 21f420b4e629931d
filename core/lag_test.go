package core_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// lagging is a Config whose LagObserver writes down what it is told.
func lagging(log *[]string) core.Config[event] {
	cfg := located()
	cfg.Observer = warned{
		observer: observer{ended: func(i core.Info, _ error) { *log = append(*log, fmt.Sprint("ended ", i.ID)) }},
		lagging:  func(i core.Info) { *log = append(*log, fmt.Sprintf("lagging %d: %d of %d", i.ID, i.Held, i.Capacity)) },
	}
	return cfg
}

func TestLaggingOnceAtThreeQuarters(t *testing.T) {
	for _, c := range []struct{ capacity, at, under int }{
		{1, 1, 1}, {2, 2, 1}, {3, 3, 2}, {4, 3, 2}, {8, 6, 4}, {9, 7, 5}, {100, 75, 50},
	} {
		t.Run(fmt.Sprint("capacity ", c.capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log []string
				f := core.New(lagging(&log))
				s, err := channel.Subscribe(t.Context(), f, region.Region{}, c.capacity)
				if err != nil {
					t.Fatal(err)
				}
				fill := func(to int) {
					for len(s.C()) < to {
						f.Broadcast(event{})
						synctest.Wait()
					}
				}
				told := func(when string, want ...string) {
					t.Helper()
					if !slices.Equal(log, want) {
						t.Fatalf("%s: told %q, want %q", when, log, want)
					}
				}
				warning := fmt.Sprintf("lagging 1: %d of %d", c.at, c.capacity)
				fill(c.at - 1)
				told("one before the mark")
				fill(c.at)
				told("at the mark", warning)
				fill(c.capacity)
				told("full", warning)
				if c.under > 1 {
					for len(s.C()) >= c.under { // an offer is then accepted with as many held
						<-s.C()
					}
					fill(c.capacity)
					told("full again, not having been under half", warning)
					for len(s.C()) >= c.under-1 {
						<-s.C()
					}
					fill(c.at)
					told("full again", warning, warning)
				}
				log = nil
				for f.Len() > 0 {
					f.Broadcast(event{})
				}
				synctest.Wait()
				told("pruned", "ended 1")
			})
		})
	}
}

func TestLaggingOfAGauge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		f := core.New(lagging(&log))
		asked := 0
		g := &gauge{asked: &asked, capacity: 8}
		s := subscribe[event](t, f, region.Region{}, g)
		subscribe(t, f, region.Region{}, handler{}) // no Gauge: never warned of
		for _, c := range []struct{ held, told int }{{5, 0}, {6, 1}, {7, 1}, {4, 1}, {8, 1}, {3, 1}, {6, 2}} {
			g.held = c.held
			f.Broadcast(event{})
			synctest.Wait()
			if len(log) != c.told {
				t.Errorf("with %d of 8 held: told %q, want %d warnings", c.held, log, c.told)
			}
		}
		asked = 0
		f.Broadcast(event{})
		if asked != 2 {
			t.Errorf("an accepted offer made %d calls of the sink, want 2: Offer and Held", asked)
		}
		s.Cancel()
	})
}

// Whoever is warned and pruned before the reaper gets there is told in that order, and ends even where
// the warning is the Observer's last word.
func TestLaggingBeforeEnded(t *testing.T) {
	for name, misbehave := range map[string]func(){
		"returns": func() {},
		"panics":  func() { panic("mine") },
		"exits":   runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log []string
				cfg := lagging(&log)
				told := cfg.Observer.(warned)
				cfg.Observer = warned{observer: told.observer, lagging: func(i core.Info) { told.lagging(i); misbehave() }}
				f := core.New(cfg)
				gate := make(chan struct{})
				subscribe(t, f, region.Region{}, handler{close: func(error) { <-gate }}).Cancel()
				synctest.Wait() // the reaper hangs
				s, err := channel.Subscribe(t.Context(), f, region.Region{}, 4)
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					f.Broadcast(event{})
				}
				close(gate)
				synctest.Wait()
				if want := []string{"ended 1", "lagging 2: 4 of 4", "ended 2"}; !slices.Equal(log, want) {
					t.Errorf("told %q, want %q", log, want)
				}
				if !over(s) || f.Stats().Retiring != 0 {
					t.Errorf("over %v, Stats %+v: want it over", over(s), f.Stats())
				}
			})
		})
	}
}
