package bench

import (
	"bytes"
	"context"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// costs are what the broadcast path is not to spend its time on, found by the runtime's functions for them. Of a type
// switch those are the boxing of a value and what its cache has not seen; a hit is some instructions in line.
var costs = [...]struct {
	name string
	in   *regexp.Regexp
}{
	{"allocation", regexp.MustCompile(`^runtime\.(malloc\w*|newobject|makeslice|growslice)$`)},
	{"write barriers", regexp.MustCompile(`^(gcWriteBarrier|runtime\.(gcWriteBarrier|wbBufFlush|bulkBarrierPreWrite|atomicwb|wbMove|wbZero))\w*$`)},
	{"type switches", regexp.MustCompile(`^runtime\.(typeAssert|interfaceSwitch|assertE2I2?|getitab|conv[TI]\w*)$`)},
}

// limits are the most that each cost may have of the samples below Broadcast.
//
// Nothing is allocated and no type asked for, so those shares are 0 but for a stray sample: a twentieth is three of the
// sixty that there are at least, and less than one allocation an event takes. Write barriers are nothing
// unless the collector marks. Where it does nearly always they have a fifth to a quarter, of the look-up's
// cursor and the boxes of latest; 0.45 is four standard deviations of sixty samples above that.
type limits [len(costs)]float64

var (
	quiet      = limits{0.05, 0.05, 0.05}
	collecting = limits{0.05, 0.45, 0.05}
)

const (
	enough = 60 // samples that shares are taken of; a profile has a hundred for each second of a processor's time
	slice  = 250 * time.Millisecond
	rounds = 60 // slices, after which a machine that has not given as many gives too few
)

// shares profiles bursts until there are samples enough.
func shares[T any](t *testing.T, b *bursts[T]) (of limits) {
	t.Helper()
	samples := 0.0
	for i := 0; samples < enough; i++ {
		if i == rounds {
			t.Skipf("the machine gave %v samples in %v, want %v", samples, rounds*slice, enough)
		}
		for _, s := range processor(t, b.run).Sample {
			frames := below(s, ofFanout)
			if frames == nil {
				continue
			}
			samples += float64(s.Value[0])
			for i, c := range costs {
				if slices.ContainsFunc(frames, c.in.MatchString) {
					of[i] += float64(s.Value[0])
				}
			}
		}
	}
	if b.ended {
		t.Fatal("a subscription ended, or missed an event: what was measured is something else")
	}
	for i := range of {
		of[i] /= samples
	}
	t.Logf("of %v samples: %.3f %s, %.3f %s, %.3f %s", samples, of[0], costs[0].name, of[1], costs[1].name, of[2], costs[2].name)
	return of
}

// processor returns the profile of what burst takes of a processor in one slice.
func processor(t *testing.T, burst func()) *profile.Profile {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.StartCPUProfile(&b); err != nil {
		t.Skip("no profile of the processor: ", err) // go test -cpuprofile writes one
	}
	for start := time.Now(); time.Since(start) < slice; {
		burst()
	}
	pprof.StopCPUProfile()
	p, err := profile.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// collect has the collector run all the time, so that write barriers, where there are any, do something; and gives it what
// keeps it marking, since they do nothing while it sweeps.
func collect(t *testing.T) {
	heap := make([]**uint64, 1<<19)
	for i := range heap {
		heap[i] = new(*uint64)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		runtime.KeepAlive(heap)
	})
}

// A bursts has subscriptions of every kind, which it lets read what it has broadcast.
type bursts[T any] struct {
	fanout *core.Fanout[T]
	events []T // with a key each
	read   []func() bool
	ended  bool // somebody did not get an event: then nothing is measured
}

func newBursts[T any](t *testing.T, cfg core.Config[T], events []T, key func(T) uint64, also func(T)) *bursts[T] {
	b := &bursts[T]{fanout: core.New(cfg), events: events}
	t.Cleanup(func() {
		_ = b.fanout.Close()
		_ = b.fanout.Wait(context.Background())
	})
	for range 8 {
		if _, err := b.fanout.Subscribe(context.Background(), region.Region{}, taker[T]{also}); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range kinds(key) {
		if k.name == "plain" { // the takers are such sinks
			continue
		}
		for _, r := range []region.Region{{}, {Entity: "a"}, {Kind: region.OneKind(region.KindData)}} {
			o, err := k.open(context.Background(), b.fanout, r, len(events))
			if err != nil {
				t.Fatal(err)
			}
			if r == (region.Region{}) || cfg.Locate != nil {
				b.read = append(b.read, o.read)
			}
		}
	}
	b.run() // what is allocated once is by now
	return b
}

func (b *bursts[T]) run() {
	for i := range b.events {
		b.fanout.Broadcast(b.events[i])
	}
	for _, read := range b.read {
		for range b.events {
			b.ended = !read() || b.ended
		}
	}
}

// A taker is the least that a sink can be, and what else it does with an event.
type taker[T any] struct{ also func(v T) }

func (s taker[T]) Offer(v T) core.Verdict { s.also(v); return core.Accepted }
func (s taker[T]) Close(error)            {}

func TestSharesOfBroadcast(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector most of a broadcast is the detector's")
	}
	numbers, notifications := make([]uint64, 256), make([]notification, 256)
	for i := range numbers {
		numbers[i], notifications[i] = uint64(i)+1<<32, event(uint64(i))
	}
	number := func(v uint64) uint64 { return v }

	t.Run("notifications", func(t *testing.T) {
		b := newBursts(t, core.Config[notification]{Locate: notification.Point}, notifications, sequence, func(notification) {})
		wantShares(t, quiet, shares(t, b))
	})
	t.Run("numbers, while the collector marks", func(t *testing.T) {
		b := newBursts(t, core.Config[uint64]{}, numbers, number, func(uint64) {})
		collect(t)
		wantShares(t, collecting, shares(t, b))
	})
	if testing.Short() {
		return
	}
	// What a sink does is below Broadcast too, so one that does what it should not shows that the shares are taken right.
	for _, liar := range []struct {
		name string
		cost int
		also func(uint64)
	}{
		{"one that allocates", 0, func(v uint64) { kept.pointer[0] = &[8]uint64{v} }},
		{"one that stores pointers", 1, func(uint64) {
			for i := range kept.pointer {
				kept.pointer[i] = kept.other
			}
		}},
		{"one that boxes", 2, func(v uint64) { kept.boxed = v }},
	} {
		t.Run(liar.name, func(t *testing.T) {
			b := newBursts(t, core.Config[uint64]{}, numbers, number, liar.also)
			collect(t)
			if of := shares(t, b); of[liar.cost] <= collecting[liar.cost] {
				t.Errorf("%s: a share of %.3f, want more than %v", costs[liar.cost].name, of[liar.cost], collecting[liar.cost])
			}
		})
	}
}

func wantShares(t *testing.T, most, of limits) {
	t.Helper()
	for i, c := range costs {
		if of[i] > most[i] {
			t.Errorf("%s: a share of %.3f, want %v at most", c.name, of[i], most[i])
		}
	}
}

// kept is where what a liar makes escapes to.
var kept struct {
	pointer [1024]*[8]uint64
	other   *[8]uint64
	boxed   any
}
