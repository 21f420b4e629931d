package core_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// TestStress lets writers broadcast while subscriptions come and end in every way there is, and closes the
// fan-out before the writers have finished. It guards H1, H3, H4, H24 and H28 to H30 besides: a sink closed too
// early, twice, or never shows in its own account.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("GOMAXPROCS ", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			stress(t)
		})
	}
}

// A stressRun is one run of the stress test.
type stressRun struct {
	f      *core.Fanout[feat]
	ctx    context.Context // shared by many, ended in the middle
	cancel context.CancelCauseFunc

	begun, finished [stressWriters]atomic.Uint64 // numbers of broadcasts
	sums            [stressWriters]core.Outcome
	stop            atomic.Bool

	told map[uint64][]error // by ID, what Ended was told; the reaper's

	mu   sync.Mutex
	subs []*stressSub
}

func stress(t *testing.T) {
	churners, rounds := 8, 800
	if testing.Short() {
		rounds = 60
	}
	r := &stressRun{told: make(map[uint64][]error)}
	r.f = core.New(core.Config[feat]{
		Name:     "stress",
		Locate:   feat.Point,
		Observer: observer{ended: func(i core.Info, cause error) { r.told[i.ID] = append(r.told[i.ID], cause) }},
	})
	r.ctx, r.cancel = context.WithCancelCause(t.Context())
	defer r.cancel(nil)

	var writing, churning, reading sync.WaitGroup
	for w := range stressWriters {
		writing.Go(func() { r.write(w) })
	}
	for c := range churners {
		churning.Go(func() {
			for i := range rounds {
				if c == 0 && i == rounds/2 {
					r.cancel(errMine)
				}
				r.churn(t, c, i, &reading)
			}
		})
	}
	churning.Wait()
	// Some have outlived it. Writers are still about when the fan-out is closed, from two sides.
	var closing sync.WaitGroup
	for range 2 {
		closing.Go(func() { _ = r.f.Close() })
	}
	closing.Wait()
	r.stop.Store(true)
	writing.Wait()
	wait(t, r.f)
	reading.Wait()
	r.check(t)
}

// write broadcasts until there is nobody left, one by one and in rows.
func (r *stressRun) write(w int) {
	row := make([]feat, 5)
	for n := uint64(1); !r.stop.Load(); {
		var out core.Outcome
		r.begun[w].Store(n)
		if n%7 == 0 {
			for i := range row {
				row[i] = feat{uint64(w), n + uint64(i)}
			}
			r.begun[w].Store(n + uint64(len(row)) - 1)
			out = r.f.BroadcastAll(row)
			n += uint64(len(row))
		} else {
			out = r.f.Broadcast(feat{uint64(w), n})
			n++
		}
		r.finished[w].Store(n - 1)
		r.sums[w].Matched += out.Matched
		r.sums[w].Accepted += out.Accepted
		r.sums[w].Pruned += out.Pruned
		if n%16 == 0 {
			runtime.Gosched()
		}
	}
}

// churn subscribes, and sees to an end: the i-th of the c-th churner.
func (r *stressRun) churn(t *testing.T, c, i int, reading *sync.WaitGroup) {
	s := &stressSub{region: stressRegions[(c+i)%len(stressRegions)], room: int64(i % 40)}
	var sink core.Sink[feat] = s
	var pipe *stressPipe
	ctx := t.Context()
	way := i % 10
	switch way {
	case 0:
		s.last = func(*stressSub) core.Verdict { return core.Full }
	case 1:
		s.last = func(*stressSub) core.Verdict { return core.Closed }
	case 2:
		s.last = func(*stressSub) core.Verdict { panic(errMine) }
	case 3:
		s.last = func(s *stressSub) core.Verdict { s.sub.Cancel(); return core.Accepted }
	case 4:
		ctx = r.ctx
	case 5, 6:
		pipe = &stressPipe{s, make(chan feat, 1+i%16)}
		sink = pipe
	case 8:
		s.room, s.last = 0, func(*stressSub) core.Verdict { return core.Full }
	}
	for w := range stressWriters {
		s.finished[w] = r.finished[w].Load()
	}
	if _, err := r.f.Subscribe(ctx, s.region, sink); err != nil {
		if ctx != r.ctx || !errors.Is(err, errMine) || !errors.Is(err, core.ErrCancelled) {
			t.Errorf("Subscribe: %v", err)
		}
		return
	}
	for w := range stressWriters {
		s.begun[w] = r.begun[w].Load()
	}
	r.mu.Lock()
	r.subs = append(r.subs, s)
	r.mu.Unlock()
	switch way {
	case 5, 6:
		reading.Go(func() { pipe.read(i) })
	case 7:
		s.sub.Cancel()
		<-s.sub.Done() // though some broadcast is inside at all times
	case 8:
		reading.Go(s.sub.Cancel)
		s.sub.CancelCause(errMine)
	}
}

// check looks at every subscription, and whether Stats, Outcomes and sinks agree.
func (r *stressRun) check(t *testing.T) {
	t.Helper()
	var took, pruned, cancelled uint64
	for i, s := range r.subs {
		if err := s.check(); err != nil {
			t.Fatalf("subscription %d (the %dth): %v", s.sub.ID(), i, err)
		}
		if told := r.told[s.sub.ID()]; len(told) != 1 || told[0] != s.cause {
			t.Fatalf("subscription %d: Ended was told %v, want %v, once", s.sub.ID(), told, s.cause)
		}
		took += uint64(s.took.Load())
		if errors.Is(s.cause, core.ErrPruned) {
			pruned++
		} else {
			cancelled++
		}
	}
	var sum core.Outcome
	for _, out := range r.sums {
		sum.Matched += out.Matched
		sum.Accepted += out.Accepted
		sum.Pruned += out.Pruned
	}
	if sum.Matched != sum.Accepted+sum.Pruned || uint64(sum.Accepted) != took || uint64(sum.Pruned) != pruned {
		t.Errorf("Outcomes: got %+v in all; the sinks took %d, and %d were pruned", sum, took, pruned)
	}
	st := r.f.Stats()
	want := core.Stats{
		Subscribed: uint64(len(r.subs)), Broadcasts: st.Broadcasts, Cancelled: cancelled, Panics: st.Panics,
		Matched: uint64(sum.Matched), Accepted: took, PrunedFull: st.PrunedFull, PrunedClosed: pruned - st.PrunedFull,
	}
	if st != want {
		t.Errorf("Stats: got %+v, want %+v", st, want)
	}
	if pruned == 0 || took == 0 || st.Panics == 0 || st.PrunedFull == 0 || st.PrunedClosed == 0 {
		t.Errorf("nothing of a kind has happened: %+v", st)
	}
}
