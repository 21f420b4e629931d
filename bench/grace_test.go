package bench

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Grace: what does each candidate protocol add to a broadcast, and how long does a retirement wait for
// broadcasts that overlap? cost is enter and leave around nothing, through an interface; "never" is the floor.
func BenchmarkGrace(b *testing.B) {
	for _, p := range graceProtocols {
		b.Run("protocol="+p.name+"/cost/writers=1", func(b *testing.B) {
			b.ReportAllocs()
			g := p.open()
			for b.Loop() {
				s, mark := g.enter()
				g.leave(s, mark)
			}
		})
		b.Run("protocol="+p.name+"/cost/writers=2", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(1)
			g := p.open()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s, mark := g.enter()
					g.leave(s, mark)
				}
			})
		})
		b.Run("protocol="+p.name+"/wait", func(b *testing.B) {
			var r retirements
			for b.Loop() {
				r = overlap(p.open())
			}
			b.ReportMetric(float64(r.median.Nanoseconds()), "ns-median")
			b.ReportMetric(float64(r.worst.Nanoseconds()), "ns-worst")
			b.ReportMetric(float64(r.made), "retired")
			b.ReportMetric(float64(r.late), "never")
			b.ReportMetric(r.pause, "ns-longest-retire")
			b.ReportMetric(0, "ns/op")
		})
	}
}

const (
	retired    = 2_400
	graceBound = 64    // broadcasts of each writer, after which a retirement counts as one that never comes
	walk       = 4_000 // rounds of work inside a broadcast, so that some broadcast is inside nearly always
	graceTime  = 5 * time.Second
)

// retirements tells how long they took.
type retirements struct {
	median, worst time.Duration // of those that came
	made, late    int           // all, and those that did not come within the bound
	pause         float64       // the longest that the writer was held in retire, in ns
}

// overlap has two writers broadcast without a pause, of which one retires something between two of its
// broadcasts, again and again. Whichever writer first finds the retirement due after a broadcast tells when
// it was: nobody polls for it. The bound is one of broadcasts, not of time, so that a writer that the
// machine has put aside makes nobody late.
func overlap(g graceProtocol) retirements {
	var (
		stop   atomic.Bool
		ticket atomic.Int64 // the retirement under way; 0: none
		over   atomic.Int64 // when it was found due, in ns since start; 0: not yet
		theirs atomic.Int64 // broadcasts of the other writer
		spent  atomic.Uint64
		writer sync.WaitGroup
		start  = time.Now()
	)
	look := func() {
		if t := ticket.Load(); t != 0 && g.due() && ticket.CompareAndSwap(t, 0) {
			over.Store(int64(time.Since(start)))
		}
	}
	broadcast := func(work uint64) uint64 {
		s, mark := g.enter()
		for range walk {
			work = work*6364136223846793005 + 1
		}
		g.leave(s, mark)
		look()
		return work
	}
	ready := make(chan struct{})
	writer.Go(func() {
		close(ready)
		work := uint64(1)
		for !stop.Load() {
			work = broadcast(work)
			theirs.Add(1)
		}
		spent.Add(work) // the work counts for something, so the compiler keeps it
	})
	<-ready

	var r retirements
	var waits []time.Duration
	work := uint64(2)
	for n := int64(0); n < retired && time.Since(start) < graceTime; n++ { // two writers on one core take turns by the millisecond
		r.made++
		for range 8 {
			work = broadcast(work)
		}
		over.Store(0)
		began, theirsBefore := time.Since(start), theirs.Load()
		g.retire()
		r.pause = max(r.pause, float64(time.Since(start)-began))
		ticket.Store(n + 1)
		look()
		for own := 0; over.Load() == 0 && (own < graceBound || theirs.Load()-theirsBefore < graceBound); own++ {
			work = broadcast(work)
		}
		if ticket.CompareAndSwap(n+1, 0) {
			r.late++
			for !g.due() { // the next retirement needs this one over
				work = broadcast(work)
			}
			continue
		}
		for over.Load() == 0 { // the other writer has just found it, and is about to say when
			work = broadcast(work)
		}
		waits = append(waits, time.Duration(over.Load())-began)
	}
	stop.Store(true)
	writer.Wait()
	spent.Add(work)
	slices.Sort(waits)
	if len(waits) > 0 {
		r.median, r.worst = waits[len(waits)/2], waits[len(waits)-1]
	}
	return r
}
