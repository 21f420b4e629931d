package bench

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/region"
)

// failed is what a recorder panics with in place of ending its goroutine.
type failed string

// A recorder is a Host that keeps what went wrong.
type recorder struct{}

func (recorder) Helper()                           {}
func (recorder) Cleanup(func())                    {}
func (recorder) Errorf(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }
func (recorder) Fatalf(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

// measured measures a row of these sides for one round, and returns what made it fail, or "".
func measured(sides Sides) (r Result, failure string) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failed:
			failure = string(v)
		default:
			panic(v)
		}
	}()
	row := Row{ID: "P0", Against: sides.Baseline.Name, Open: func(Host) Sides { return sides }}
	first := true
	return row.Measure(recorder{}, func() bool { defer func() { first = false }(); return first }), ""
}

// busy is a Section of ten operations that waits for d by looking at the clock, and notes its turns.
func busy(name string, d time.Duration, turns *[]string) Section {
	return Section{Name: name, Timed: func() int {
		*turns = append(*turns, name)
		for start := time.Now(); time.Since(start) < d; {
		}
		return 10
	}}
}

// A more that has answered false is over, a testing.B's Loop fails if asked again.
func TestMeasureAsksNoMoreOnceTold(t *testing.T) {
	asked := 0
	Row{ID: "P0", Open: func(Host) Sides { return Sides{Subject: busy("subject", 0, new([]string))} }}.Measure(t, func() bool {
		asked++
		return asked < 2
	})
	if asked != 2 {
		t.Errorf("asked %d times, and told to end at the second", asked)
	}
}

func TestMeasureTakesTurns(t *testing.T) {
	var turns []string
	r, failure := measured(Sides{
		Subject:  busy("subject", 300*time.Microsecond, &turns),
		Baseline: busy("base", 100*time.Microsecond, &turns),
		Beside:   []Section{busy("third", 0, &turns)},
	})
	if failure != "" {
		t.Fatal(failure)
	}
	got := strings.Join(turns[:6], " ")
	if want := "subject base third third base subject"; got != want {
		t.Errorf("turns %q, want %q", got, want)
	}
	if r.Rounds != minRounds || len(r.Ratios) != minRounds {
		t.Errorf("%d rounds and %d ratios though no more than one round was asked for, want %d", r.Rounds, len(r.Ratios), minRounds)
	}
	if r.This < 30_000 {
		t.Errorf("%v ns an operation, want a tenth of 300 µs at least", r.This)
	}
	if r.Ratio() <= 1 || r.Against >= r.This {
		t.Errorf("ratio %v, %v against %v, for a subject that waits three times as long; want more than 1", r.Ratio(), r.This, r.Against)
	}
	if len(r.Beside) != 1 || r.Beside[0].Name != "third" {
		t.Errorf("beside: %v, want third", r.Beside)
	}
}

// A row without a baseline is its figure; its ratios are the figures themselves.
func TestMeasureWithoutBaseline(t *testing.T) {
	figures := []float64{3, 1, 2, 9, 5, 4, 7}
	r, failure := measured(Sides{Subject: Section{Name: "it", Own: func() (float64, error) {
		f := figures[0]
		figures = figures[1:]
		return f, nil
	}}})
	if failure != "" || r.This != 4 || r.Against != 0 || r.Ratio() != 4 || r.Spread() != 0.625 {
		t.Errorf("got %+v with spread %v, %q; want 4, its median, against nothing, spread (7-2)/2/4", r, r.Spread(), failure)
	}
}

func TestMeasureCountsAllocations(t *testing.T) {
	var kept []*[64]byte
	r, failure := measured(Sides{
		Subject: busy("it", 0, new([]string)), Baseline: busy("base", 0, new([]string)),
		Allocating: func() (ops int) {
			for range 1_000 {
				kept = append(kept, new([64]byte), new([64]byte))
			}
			return 1_000
		},
	})
	if failure != "" || r.Allocs != 2 || r.Bytes < 128 {
		t.Errorf("%d objects and %d bytes an operation, %q; want 2 and 128 at least", r.Allocs, r.Bytes, failure)
	}
}

func TestMeasureFailsWithItsSections(t *testing.T) {
	broken := func(int) error { return errors.New("broken") }
	for name, s := range map[string]Section{
		"before": {Name: "it", Before: broken, Timed: func() int { return 1 }},
		"own":    {Name: "it", Own: func() (float64, error) { return 0, broken(0) }},
		"after":  {Name: "it", Timed: func() int { return 1 }, After: func() error { return broken(0) }},
	} {
		_, f := measured(Sides{Subject: s, Baseline: busy("base", 0, new([]string))})
		if !strings.Contains(f, "it, round 0") || !strings.Contains(f, "broken") {
			t.Errorf("%s: failure %q, want the section, the round and the reason", name, f)
		}
	}
}

// A fan-out that prunes everyone at the first event is very fast, and so is one that drops. Neither may pass.
func TestBroadcastsSeesWhatIsNotDelivered(t *testing.T) {
	w := newWorkload(t, 0, 64)
	honest := func(capacity int) broadcasts {
		f := newFanout(t)
		return broadcasts{
			Name: "spillway", Events: w.Events, Sequence: sequence, Block: 32, Readers: 2,
			Send:  broadcasting(f),
			Drain: drainAll(subscribe(t, f, 2, capacity, func(int) region.Region { return region.Region{} })),
		}
	}
	play := func(b broadcasts) error {
		s := b.Section()
		for round := range 3 {
			if err := s.Before(round); err != nil {
				return err
			}
			if got := s.Timed(); got != 32 {
				return fmt.Errorf("%d operations, want 32", got)
			}
			if err := s.After(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := play(honest(32)); err != nil {
		t.Errorf("an honest side: %v", err)
	}
	if err := honest(32).Rehearse(); err != nil {
		t.Errorf("an honest side, rehearsed: %v", err)
	}
	if err := honest(31).Rehearse(); err == nil {
		t.Error("a side that prunes passed its rehearsal")
	}

	liars := map[string]func(*broadcasts){
		"prunes": func(b *broadcasts) { *b = honest(31) },
		"drops one": func(b *broadcasts) {
			send := b.Send
			b.Send = func(events []notification) (int, int) {
				accepted, refused := send(events[1:])
				return accepted + 2, refused
			}
		},
		"repeats one in place of another": func(b *broadcasts) {
			send := b.Send
			b.Send = func(events []notification) (int, int) {
				accepted, refused := send(events[1:])
				again, _ := send(events[1:2])
				return accepted + again, refused
			}
		},
		"delivers nothing and admits it": func(b *broadcasts) {
			b.Send = func([]notification) (int, int) { return 0, 0 }
		},
	}
	for name, lie := range liars {
		b := honest(32)
		lie(&b)
		if err := play(b); err == nil {
			t.Errorf("a side that %s passed", name)
		}
	}
}

func TestDrainEndsAtAClosedChannel(t *testing.T) {
	c := make(chan notification, 2)
	c <- notification{Sequence: 3}
	close(c)
	if count, sum := Drain([]<-chan notification{c}, sequence); count != 1 || sum != 3 {
		t.Errorf("drained %d with sum %d, want 1 with sum 3", count, sum)
	}
}
