//go:build spillway_steps

package latest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
)

type subscription = latest.Subscription[event, int]

// wantRead looks whether the events are what there is to be read now, in that order.
func wantRead(t *testing.T, s *subscription, want ...event) {
	t.Helper()
	if got := readAll(s); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func readAll(s *subscription) (got []event) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		e, err := s.Next(over)
		if err != nil {
			return got
		}
		got = append(got, e)
	}
}

func closeAll[T any](t *testing.T, f *core.Fanout[T]) {
	t.Helper()
	_ = f.Close()
	wait(t, f)
}

// Two writers install one key at a time: it is one key, and none of their events is gone.
func TestTwoInstallOneKey(t *testing.T) {
	for _, step := range []string{"latest:installing", "latest:ranking", "latest:ranked"} {
		for _, maxKeys := range []int{1, 2, 3} {
			f := core.New(core.Config[event]{})
			s := subscribe(t, f, maxKeys, keyOf)
			goOn := steptest.StopAt(t, step, func() { f.Broadcast(event{1, 1}) })
			f.Broadcast(event{1, 2})
			wantRead(t, s, event{1, 2})
			f.Broadcast(event{1, 3})
			goOn()
			wantRead(t, s, event{1, 1})
			if s.Lost() != 1 {
				t.Errorf("%s: lost %d, want the one that was replaced", step, s.Lost())
			}
			for k := 2; k <= maxKeys; k++ {
				f.Broadcast(event{k, 4})
			}
			if s.Len() != maxKeys-1 || s.Err() != nil {
				t.Errorf("%s: %d wait beside it, %v; want room for %d keys", step, s.Len(), s.Err(), maxKeys)
			}
			closeAll(t, f)
		}
	}
}

// A writer that stops before it has installed its key finds its place taken by others': it looks on, and each has a cell.
func TestPlaceIsTakenMeanwhile(t *testing.T) {
	for range 50 { // where keys fall is another matter each time
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 4, keyOf)
		goOn := steptest.StopAt(t, "latest:installing", func() { f.Broadcast(event{0, 1}) })
		for k := 1; k < 4; k++ {
			f.Broadcast(event{k, 1})
		}
		goOn()
		wantRead(t, s, event{1, 1}, event{2, 1}, event{3, 1}, event{0, 1})
		closeAll(t, f)
	}
}

// MaxKeys is exact where a writer stops before its key is counted: others come before it, and the one too many is whoever
// is last to be counted. A key that has its rank is counted by the others.
func TestH54MaxKeysWhileAnInstallerStops(t *testing.T) {
	for step, last := range map[string]int{"latest:installing": 0, "latest:ranking": 0, "latest:ranked": 3} {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 3, keyOf)
		var out core.Outcome
		goOn := steptest.StopAt(t, step, func() { out = f.Broadcast(event{0, 1}) })
		for k := 1; k <= 3; k++ {
			want := core.Outcome{Matched: 1, Accepted: 1}
			if k == last {
				want = core.Outcome{Matched: 1, Pruned: 1}
			}
			if got := f.Broadcast(event{k, 1}); got.Accepted != want.Accepted || got.Pruned != want.Pruned {
				t.Errorf("%s: key %d: %+v, want %+v", step, k, got, want)
			}
		}
		goOn()
		if refused := out.Pruned == 1; refused != (last == 0) {
			t.Errorf("%s: the key of the one that was stopped: %+v", step, out)
		}
		<-s.Done()
		if pruned, ok := errors.AsType[*core.PrunedError](s.Err()); !ok || pruned.Verdict != core.Full {
			t.Errorf("%s: it ended with %v", step, s.Err())
		}
		if got := readAll(s); len(got) != 3 {
			t.Errorf("%s: %v are kept, want 3", step, got)
		}
		closeAll(t, f)
	}
}

// The same with many that stop, at all of those steps, and go on in another order than they came.
func TestH54MaxKeysWhileManyInstallersStop(t *testing.T) {
	const maxKeys, writers = 3, 7
	for _, steps := range [][]string{ // of the first writer, and then by turns
		{"latest:installing", "latest:installing"},
		{"latest:ranking", "latest:ranking"},
		{"latest:ranking", "latest:installing", "latest:ranking"},
		{"latest:ranked", "latest:installing", "latest:ranking"},
	} {
		for stride := 1; stride < writers; stride++ {
			f := core.New(core.Config[event]{})
			s := subscribe(t, f, maxKeys, keyOf)
			goOn := []func(){steptest.StopAt(t, steps[0], func() { f.Broadcast(event{0, 1}) })}
			for k := 1; k < writers; k++ {
				at := steps[1:][k%(len(steps)-1)]
				goOn = append(goOn, steptest.StopAt(t, at, func() { f.Broadcast(event{k, 1}) }))
			}
			for i := range goOn {
				goOn[i*stride%writers]()
			}
			<-s.Done()
			got := make(map[int]bool)
			for _, e := range readAll(s) {
				got[e.key] = true
			}
			if len(got) != maxKeys || !errors.Is(s.Err(), core.ErrPruned) {
				t.Errorf("%v, every %d: keys %v are kept, %v", steps, stride, got, s.Err())
			}
			closeAll(t, f)
		}
	}
}

// A writer that stops with its event in hand, or in its cell and not on the list, holds up no event that comes meanwhile,
// of its own key either: those replace its own, or are replaced by it.
func TestH66WriterStopsInMidChange(t *testing.T) {
	for step, c := range map[string]struct {
		meanwhile, after []event
		lost             uint64
	}{
		"latest:filled":  {[]event{{1, 3}, {2, 1}}, []event{{1, 1}}, 1},
		"latest:swapped": {[]event{{1, 3}, {2, 1}}, nil, 2},
		"latest:linking": {[]event{{1, 3}, {2, 1}}, nil, 2},
	} {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 2, keyOf)
		goOn := steptest.StopAt(t, step, func() { f.Broadcast(event{1, 1}) })
		f.Broadcast(event{1, 2})
		f.Broadcast(event{1, 3})
		f.Broadcast(event{2, 1})
		wantRead(t, s, c.meanwhile...)
		goOn()
		wantRead(t, s, c.after...)
		if s.Lost() != c.lost || s.Len() != 0 {
			t.Errorf("%s: lost %d, %d wait; want %d, none", step, s.Lost(), s.Len(), c.lost)
		}
		f.Broadcast(event{1, 4})
		wantRead(t, s, event{1, 4})
		closeAll(t, f)
	}
}

// What a writer that was stopped brings is there to be read after the end, which waits for it.
func TestH66LastBeforeTheEndIsReadable(t *testing.T) {
	for _, step := range []string{"latest:filled", "latest:swapped", "latest:linking"} {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 2, keyOf)
		goOn := steptest.StopAt(t, step, func() { f.Broadcast(event{1, 1}) })
		s.Cancel()
		goOn()
		<-s.Done()
		if e, err := s.Next(context.Background()); e != (event{1, 1}) || err != nil {
			t.Errorf("%s: read %v, %v", step, e, err)
		}
		if _, err := s.Next(context.Background()); err != core.ErrCancelled {
			t.Errorf("%s: at the end: %v", step, err)
		}
		closeAll(t, f)
	}
}

// A reader that stops before it takes gets the newest of what came meanwhile, and the key waits no more.
func TestH66ReaderStopsBeforeItTakes(t *testing.T) {
	for _, more := range []int{0, 1, 2, 100} {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 2, keyOf)
		f.Broadcast(event{1, 0})
		var got event
		goOn := steptest.StopAt(t, "latest:taking", func() { got, _ = s.Next(context.Background()) })
		for n := range more {
			f.Broadcast(event{1, n + 1})
		}
		f.Broadcast(event{2, 1})
		goOn()
		if got != (event{1, more}) || s.Lost() != uint64(more) || s.Len() != 1 {
			t.Errorf("read %v, lost %d, %d wait; want the newest, %d lost, one", got, s.Lost(), s.Len(), more)
		}
		wantRead(t, s, event{2, 1})
		f.Broadcast(event{1, 101})
		wantRead(t, s, event{1, 101})
		closeAll(t, f)
	}
}

// The list leads to the same key as when the writer looked, and yet it is another list: nothing is popped singly, so
// nothing is lost by that.
func TestListComesRoundUnderThePusher(t *testing.T) {
	f := core.New(core.Config[event]{})
	s := subscribe(t, f, 3, keyOf)
	f.Broadcast(event{1, 1})
	goOn := steptest.StopAt(t, "latest:linking", func() { f.Broadcast(event{2, 1}) })
	wantRead(t, s, event{1, 1})
	f.Broadcast(event{3, 1})
	f.Broadcast(event{1, 2})
	goOn()
	wantRead(t, s, event{3, 1}, event{1, 2}, event{2, 1})
	closeAll(t, f)
}

// The box that a stopped writer, or reader, has in hand is nobody else's, however many come past.
func TestH78BoxInHand(t *testing.T) {
	for _, step := range []string{"latest:filled", "latest:swapped", "latest:taking"} {
		t.Run(step, func(t *testing.T) {
			f := core.New(core.Config[wide]{})
			s := subscribe(t, f, 1, func(wide) int { return 0 })
			f.Broadcast(newWide(0, 0))
			read := func() {
				if w, err := s.Next(context.Background()); err != nil || !w.whole() {
					t.Errorf("read %+v, %v", w, err)
				}
			}
			do := read
			if step != "latest:taking" {
				read()
				do = func() { f.Broadcast(newWide(1, 1)) }
			}
			goOn := steptest.StopAt(t, step, do)
			for n := range 50 {
				f.Broadcast(newWide(2, n))
				if step == "latest:filled" && n%2 == 0 {
					read()
				}
			}
			goOn()
			f.Broadcast(newWide(3, 3))
			read()
			closeAll(t, f)
		})
	}
}

// An event comes while the reader is on its way to sleep, or its writer stops while that lies down; nothing comes after it.
func TestH85PublishedOnTheWayToSleep(t *testing.T) {
	bubble := func(name string, test func(t *testing.T, f *core.Fanout[event], s *subscription)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(core.Config[event]{})
				test(t, f, subscribe(t, f, 1, keyOf))
				closeAll(t, f)
			})
		})
	}
	bubble("park:said-parked", func(t *testing.T, f *core.Fanout[event], s *subscription) {
		var got event
		goOn := steptest.StopAt(t, "park:said-parked", func() { got, _ = s.Next(context.Background()) })
		f.Broadcast(event{1, 1})
		if goOn(); got != (event{1, 1}) {
			t.Errorf("read %v", got)
		}
	})
	for _, step := range []string{"latest:filled", "latest:swapped", "latest:linking"} {
		bubble(fmt.Sprint("the writer at ", step), func(t *testing.T, f *core.Fanout[event], s *subscription) {
			goOn := steptest.StopAt(t, step, func() { f.Broadcast(event{1, 1}) })
			got := make(chan event, 1)
			go func() {
				e, _ := s.Next(context.Background())
				got <- e
			}()
			synctest.Wait()
			goOn()
			if e := <-got; e != (event{1, 1}) {
				t.Errorf("read %v", e)
			}
		})
	}
}
