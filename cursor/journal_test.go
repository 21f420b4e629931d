package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A heard is a sink that keeps what it is offered, and calls then, if there is one, before it accepts.
type heard struct {
	then func(e core.Envelope)

	mu sync.Mutex
	es []core.Envelope
}

func (h *heard) Offer(e core.Envelope) core.Verdict {
	h.mu.Lock()
	h.es = append(h.es, e)
	h.mu.Unlock()
	if h.then != nil {
		h.then(e)
	}
	return core.Accepted
}

func (h *heard) Close(error) {}

func (h *heard) envelopes() []core.Envelope {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.es)
}

func (h *heard) String() string { return sequences(h.envelopes()) }

func newFanout(t testing.TB, sinks ...core.Sink[core.Envelope]) *core.Fanout[core.Envelope] {
	t.Helper()
	f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point, SingleWriter: true})
	for _, s := range sinks {
		subscribe(t, f, s)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func subscribe(t testing.TB, f *core.Fanout[core.Envelope], s core.Sink[core.Envelope]) {
	t.Helper()
	if _, err := f.Subscribe(context.Background(), region.Region{}, s); err != nil {
		t.Fatal(err)
	}
}

// newJournal returns a Journal that is closed when the test is over.
func newJournal(t testing.TB, log cursor.Log, f *core.Fanout[core.Envelope], o cursor.JournalOptions) *cursor.Journal {
	t.Helper()
	j := cursor.NewJournal(log, f, o)
	t.Cleanup(func() { _ = j.Close(context.Background()) })
	return j
}

// about returns Drafts about the entities.
func about(t testing.TB, entities ...string) []cursor.Draft {
	t.Helper()
	ds := make([]cursor.Draft, len(entities))
	for i, e := range entities {
		ds[i] = cursor.Draft{Coordinate: coordinate(t, e), Kind: kind}
	}
	return ds
}

func contents(t testing.TB, log cursor.Log) []core.Envelope {
	t.Helper()
	dst := make([]core.Envelope, 1000)
	n, err := open(t, log, region.Region{}, cursor.FromStart()).Poll(context.Background(), dst)
	if err != nil {
		t.Fatal(err)
	}
	return dst[:n]
}

func sameEvents(a, b []core.Envelope) bool {
	return slices.EqualFunc(a, b, func(x, y core.Envelope) bool { return x.Notification == y.Notification })
}

// An outcome is what an Append in a goroutine of its own returned.
type outcome struct {
	over bool
	made []core.Envelope
	err  error
}

func goAppend(ctx context.Context, j *cursor.Journal, ds []cursor.Draft) *outcome {
	o := new(outcome)
	go func() {
		o.made, o.err = j.Append(ctx, ds)
		o.over = true
	}()
	synctest.Wait()
	return o
}

// A gate is a Log whose appends wait until they are let through, each by one value: nil, or what it returns instead.
type gate struct {
	wrapped
	calls int
	let   chan error
}

func newGate(t testing.TB) *gate {
	t.Helper()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{wrapped: wrapped{Log: log}, let: make(chan error)}
	g.append = func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
		g.calls++
		select {
		case err := <-g.let:
			if err != nil {
				return nil, err
			}
			return log.Append(ctx, ds)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return g
}

// TestH144GatedSync: until the log has returned nobody has an answer, and nothing is broadcast. What comes meanwhile is
// the next group, whole.
func TestH144GatedSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		var outs []*outcome
		g := newGate(t)
		j := newJournal(t, g, newFanout(t, &sink), cursor.JournalOptions{})
		outs = append(outs, goAppend(t.Context(), j, about(t, "a")))
		for _, e := range []string{"b", "c", "d"} {
			outs = append(outs, goAppend(t.Context(), j, about(t, e, e)))
		}
		if s := j.Stats(); outs[0].over || sink.String() != "[]" || s.UnderWay != 1 || s.Queued != 3 || s.QueuedEvents != 6 {
			t.Fatalf("before the sync: answered %v, broadcast %s, %+v", outs[0].over, &sink, s)
		}
		g.let <- nil
		synctest.Wait()
		if !outs[0].over || outs[1].over || sink.String() != "[0]" {
			t.Fatalf("after the first: answered %v, %v, broadcast %s", outs[0].over, outs[1].over, &sink)
		}
		g.let <- nil
		synctest.Wait()
		for i, o := range outs[1:] {
			if !o.over || o.err != nil || sequences(o.made) != fmt.Sprint([]int{2*i + 1, 2*i + 2}) {
				t.Errorf("batch %d: %v, %s, %v", i+1, o.over, sequences(o.made), o.err)
			}
		}
		if g.calls != 2 || !sameEvents(sink.envelopes(), contents(t, g)) {
			t.Errorf("%d calls, want 2; broadcast %s", g.calls, &sink)
		}
		if s := j.Stats(); s.Group.Count != 2 || s.Group.Sum != 7 || s.Batches != 4 || s.Appended != 7 || s.Latency.Count != 4 || s.UnderWay != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestH147AnsweredIsBroadcast: nobody of a group has an answer before all of the group's events are broadcast, so that who has one and
// then subscribes is not offered them again.
func TestH147AnsweredIsBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		step := make(chan struct{})
		before := heard{then: func(core.Envelope) { <-step }}
		g := newGate(t)
		f := newFanout(t, &before)
		j := cursor.NewJournal(g, f, cursor.JournalOptions{})
		first := goAppend(t.Context(), j, about(t, "a"))
		a, b := goAppend(t.Context(), j, about(t, "b")), goAppend(t.Context(), j, about(t, "c", "d"))
		close(g.let)
		for i := range 4 {
			synctest.Wait() // in the broadcast of i
			if first.over != (i > 0) || a.over || b.over {
				t.Errorf("in the broadcast of %d: answered %v, %v, %v", i, first.over, a.over, b.over)
			}
			step <- struct{}{}
		}
		synctest.Wait()
		var after heard
		subscribe(t, f, &after)
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !a.over || !b.over || before.String() != "[0 1 2 3]" || after.String() != "[]" {
			t.Errorf("answered %v, %v; broadcast %s; to who came later %s", a.over, b.over, &before, &after)
		}
	})
}

// TestH148LogOrder: many appenders, each with batches in order, two of them not waiting: all subscriptions get the log.
func TestH148LogOrder(t *testing.T) {
	var sinks [2]heard
	log := newLog(t, memlog.Options{})
	j := newJournal(t, log, newFanout(t, &sinks[0], &sinks[1]), cursor.JournalOptions{MaxGroup: 40})
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	var wg sync.WaitGroup
	for a := range 8 {
		wg.Go(func() {
			var futures []*cursor.Future
			for i := range rounds {
				name := fmt.Sprint("of:", a)
				ds := about(t, slices.Repeat([]string{name}, 1+i%5)...)
				ds[0].Time = uint64(i)
				if a >= 2 {
					if made, err := j.Append(context.Background(), ds); err != nil || len(made) != len(ds) {
						t.Error(len(made), err)
					}
					continue
				}
				f, err := j.AppendAsync(context.Background(), ds)
				if err != nil {
					t.Error(err)
					return
				}
				futures = append(futures, f)
			}
			for _, f := range futures {
				if _, err := f.Wait(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(context.Background()); err != nil {
		t.Error(err)
	}
	var kept []core.Envelope
	for e, err := range open(t, log, region.Region{}, cursor.FromStart()).All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if kept = append(kept, e); uint64(len(kept)) == j.Stats().Appended {
			break
		}
	}
	clocks := make(map[region.Coordinate]uint64)
	for _, e := range kept {
		if e.Position.Sequence == 1 || e.Time != 0 {
			if e.Time != 0 && e.Time != clocks[e.Coordinate]+1 {
				t.Fatalf("batch %d of %s comes after %d", e.Time, e.Coordinate, clocks[e.Coordinate])
			}
			clocks[e.Coordinate] = e.Time
		}
	}
	for i := range sinks {
		if !sameEvents(sinks[i].envelopes(), kept) {
			t.Errorf("sink %d has %d events, not the %d of the log, in order", i, len(sinks[i].es), len(kept))
		}
	}
}

// TestRefusedAlone: a bad batch is refused by its own index, and the others of the group are appended without it, in one piece.
func TestRefusedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		g := newGate(t)
		j := newJournal(t, g, newFanout(t, &sink), cursor.JournalOptions{})
		expecting := func(e string, clock uint32) cursor.Draft {
			d := about(t, e)[0]
			d.Expect = cursor.ExpectClock(clock)
			return d
		}
		goAppend(t.Context(), j, about(t, "a"))
		bad1 := goAppend(t.Context(), j, append(about(t, "b", "b"), expecting("b", 7)))
		good := goAppend(t.Context(), j, []cursor.Draft{expecting("a", 1), expecting("a", 2)})
		bad2 := goAppend(t.Context(), j, append(about(t, "c"), expecting("a", 1)))
		last := goAppend(t.Context(), j, []cursor.Draft{expecting("a", 3)})
		close(g.let)
		synctest.Wait()
		if good.err != nil || sequences(good.made) != "[1 2]" || last.err != nil || sequences(last.made) != "[3]" {
			t.Errorf("the good ones: %s, %v; %s, %v", sequences(good.made), good.err, sequences(last.made), last.err)
		}
		for _, c := range []struct {
			out    *outcome
			index  int
			actual uint32
		}{{bad1, 2, 2}, {bad2, 1, 3}} {
			fault, ok := errors.AsType[*cursor.DraftError](c.out.err)
			if conflict, is := errors.AsType[*cursor.ConflictError](c.out.err); !ok || !is || fault.Index != c.index || conflict.Actual != c.actual {
				t.Errorf("%v; want draft %d, clock %d", c.out.err, c.index, c.actual)
			}
		}
		if s := j.Stats(); sink.String() != "[0 1 2 3]" || s.Refused != 2 || s.Group.Count != 2 {
			t.Errorf("broadcast %s, %+v; want two groups", &sink, s)
		}
	})
}

// TestManyRefused: a group of many that conflict, behind many that don't, costs the log a few looks at each, not one look
// at each for each.
func TestManyRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, bad := range map[string]func(i int) bool{
			"all":           func(int) bool { return true },
			"the last half": func(i int) bool { return i >= 1000 },
			"each second":   func(i int) bool { return i%2 == 1 },
			"all but one":   func(i int) bool { return i > 0 },
		} {
			g := newGate(t)
			looks, gated := 0, g.append
			g.append = func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
				made, err := gated(ctx, ds)
				looks += len(ds)
				if fault, ok := errors.AsType[*cursor.DraftError](err); ok {
					looks += fault.Index + 1 - len(ds)
				}
				return made, err
			}
			j := cursor.NewJournal(g, nil, cursor.JournalOptions{})
			first := goAppend(t.Context(), j, about(t, "a"))
			var futures []*cursor.Future
			for i := range 2000 {
				ds := about(t, "a")
				if bad(i) {
					ds[0].Expect = cursor.ExpectClock(0)
				}
				f, err := j.AppendAsync(t.Context(), ds)
				if err != nil {
					t.Fatal(err)
				}
				futures = append(futures, f)
			}
			close(g.let)
			synctest.Wait()
			if !first.over {
				t.Fatal("no answer")
			}
			for i, f := range futures {
				if _, err := f.Wait(t.Context()); errors.Is(err, cursor.ErrConflict) != bad(i) {
					t.Fatalf("%s: batch %d: %v", name, i, err)
				}
			}
			t.Logf("%s: %d looks, %d groups", name, looks, j.Stats().Group.Count)
			if looks > 2000*90 {
				t.Errorf("%s: %d looks at 2,000 drafts", name, looks)
			}
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}
