package bench_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/region"
)

// failed is what a recorder panics with in place of ending its goroutine.
type failed string

// A recorder is a Runner that keeps what it was told.
type recorder struct {
	loops   int
	metrics map[string]float64
}

func (r *recorder) Helper()       {}
func (r *recorder) ReportAllocs() {}

func (r *recorder) Loop() bool {
	r.loops--
	return r.loops >= 0
}

func (r *recorder) Fatalf(format string, args ...any) {
	panic(failed(fmt.Sprintf(format, args...)))
}

func (r *recorder) ReportMetric(n float64, unit string) {
	if r.metrics == nil {
		r.metrics = make(map[string]float64)
	}
	r.metrics[unit] = n
}

// compare runs Compare and returns what made it fail, or "".
func compare(r *recorder, subject, baseline bench.Section, beside ...bench.Section) (failure string) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failed:
			failure = string(v)
		default:
			panic(v)
		}
	}()
	bench.Compare(r, 1.5, subject, baseline, beside...)
	return ""
}

// busy is a Section of ten operations that waits for d by looking at the clock, and notes its turns.
func busy(name string, d time.Duration, turns *[]string) bench.Section {
	return bench.Section{Name: name, Timed: func() int {
		*turns = append(*turns, name)
		for start := time.Now(); time.Since(start) < d; {
		}
		return 10
	}}
}

func TestCompareTakesTurns(t *testing.T) {
	var turns []string
	r := &recorder{loops: 1}
	subject := busy("subject", 300*time.Microsecond, &turns)
	if f := compare(r, subject, busy("base", 100*time.Microsecond, &turns), busy("third", 0, &turns)); f != "" {
		t.Fatal(f)
	}
	got := strings.Join(turns[:6], " ")
	if want := "subject base third third base subject"; got != want {
		t.Errorf("turns %q, want %q", got, want)
	}
	if got := r.metrics["rounds"]; got != 7 {
		t.Errorf("%v rounds though Loop ended after one, want 7", got)
	}
	if got := r.metrics["ns/op"]; got < 30_000 {
		t.Errorf("ns/op = %v, want a tenth of 300 µs at least", got)
	}
	if got := r.metrics["x-base"]; got <= 1 {
		t.Errorf("x-base = %v for a subject that waits three times as long, want more than 1", got)
	}
	if _, ok := r.metrics["ns-third"]; !ok || r.metrics["target"] != 1.5 {
		t.Errorf("metrics %v: want ns-third, and 1.5 as target", r.metrics)
	}
}

func TestCompareFailsWithItsSections(t *testing.T) {
	var turns []string
	broken := func(int) error { return errors.New("broken") }
	for name, s := range map[string]bench.Section{
		"before": {Name: "it", Before: broken, Timed: func() int { return 1 }},
		"after":  {Name: "it", Timed: func() int { return 1 }, After: func() error { return broken(0) }},
	} {
		if f := compare(&recorder{loops: 1}, s, busy("base", 0, &turns)); !strings.Contains(f, "it, round 0") || !strings.Contains(f, "broken") {
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
			Send:  spillway(f),
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
	if count, sum := bench.Drain([]<-chan notification{c}, sequence); count != 1 || sum != 3 {
		t.Errorf("drained %d with sum %d, want 1 with sum 3", count, sum)
	}
}
