package bench

import (
	"bytes"
	"context"
	"maps"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var (
	ofFanout = regexp.MustCompile(`^github\.com/spillwayhq/spillway/core\.\(\*Fanout\[.*\]\)\.Broadcast(All)?$`)
	ofLinear = regexp.MustCompile(`^github\.com/spillwayhq/spillway/bench\.\(\*Linear\[.*\]\)\.Broadcast$`)

	shapes = regexp.MustCompile(`\[go\.shape.*\]`) // what a generic function's parameters are

	// primitive is anything of sync but sync/atomic, and what its parts are made of.
	primitive = regexp.MustCompile(`^(sync|internal/sync)\.`)
)

// doors are where the broadcast path may enter the runtime and be found at one of its locks there. The mutex
// profile has these too, at whoever held one. A lock of the runtime's is held for some instructions, with
// nobody descheduled meanwhile; each door has a reason, and what is none of these is a failure.
var doors = []struct {
	name *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`^runtime\.selectnbsend$`), "a channel's lock is held for one copy, and the reader that waits is made runnable"},
	{regexp.MustCompile(`^runtime\.newproc$`), "a goroutine is made runnable: the reaper, a callback's, a multicast ring's waker"},
	{regexp.MustCompile(`^runtime\.(newobject|makeslice|malloc\w*)$`), "a sink allocates: a key that latest has not seen, a multicast window"},
	{regexp.MustCompile(`^runtime\.(gcWriteBarrier\d*|typedmemmove|wb\w+)$`), "the collector is told of a pointer"},
	{regexp.MustCompile(`^runtime\.(morestack\w*|asyncPreempt)$`), "the stack grows, or the scheduler takes the processor away"},
}

func isDoor(function string) bool {
	for _, d := range doors {
		if d.name.MatchString(function) {
			return true
		}
	}
	return false
}

// below returns the functions of a stack that lie below the entry, the deepest first, and those that were inlined
// too; nil where the entry is not in it.
func below(s *profile.Sample, entry *regexp.Regexp) (frames []string) {
	var all []string
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function == nil {
				continue
			}
			if entry.MatchString(line.Function.Name) {
				frames = append([]string{}, all...) // the outermost of Broadcasts from inside Broadcasts
			}
			all = append(all, line.Function.Name)
		}
	}
	return frames
}

// profiles are what the runtime knows of contention, by profile and stack.
type profiles map[string]*profile.Profile

// contention returns the profiles of what run does, at full rate.
func contention(t *testing.T, run func()) profiles {
	t.Helper()
	before := read(t)
	fraction := runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	defer func() {
		runtime.SetMutexProfileFraction(fraction)
		runtime.SetBlockProfileRate(0)
	}()
	run()
	after := read(t)
	for name, p := range before { // they count from the process's start
		p.Scale(-1)
		difference, err := profile.Merge([]*profile.Profile{after[name], p})
		if err != nil {
			t.Fatal(err)
		}
		after[name] = difference
	}
	return after
}

func read(t *testing.T) profiles {
	t.Helper()
	ps := make(profiles)
	for _, name := range []string{"mutex", "block"} {
		var b bytes.Buffer
		if err := pprof.Lookup(name).WriteTo(&b, 0); err != nil {
			t.Fatal(err)
		}
		p, err := profile.Parse(&b)
		if err != nil {
			t.Fatal(err)
		}
		ps[name] = p
	}
	return ps
}

// waits returns the stacks below the entry that say that somebody waited there, or that somebody else waited for it;
// and by which doors the runtime's own locks were come to.
func (ps profiles) waits(entry *regexp.Regexp) (found []string, through map[string]int64) {
	through = make(map[string]int64)
	stacks := make(map[string]bool)
	for name, p := range ps {
		for _, s := range p.Sample {
			frames := below(s, entry)
			if frames == nil {
				continue
			}
			door := firstOfRuntime(frames)
			if name == "mutex" && isDoor(door) && !slices.ContainsFunc(frames, primitive.MatchString) {
				through[door] += s.Value[0]
				continue
			}
			stacks[name+": "+shapes.ReplaceAllString(strings.Join(frames, "\n\t"), "[...]")] = true
		}
	}
	return slices.Sorted(maps.Keys(stacks)), through
}

// firstOfRuntime returns the function by which a stack, the deepest first, comes to the runtime that it ends in.
func firstOfRuntime(frames []string) (door string) {
	for _, f := range frames {
		if !strings.HasPrefix(f, "runtime.") {
			break
		}
		door = f
	}
	return door
}

// In the block profile no stack below Broadcast is allowed at all; in the mutex profile only those of the runtime's locks.
func TestNobodyWaitsBelowBroadcast(t *testing.T) {
	ends := 1000
	if testing.Short() || raceEnabled {
		ends = 200
	}
	for _, c := range []struct {
		name    string
		writers int
		single  bool
	}{{"four writers", 4, false}, {"one writer", 1, true}} {
		t.Run(c.name, func(t *testing.T) {
			f := core.New(core.Config[notification]{Locate: notification.Point, SingleWriter: c.single})
			ps := contention(t, func() {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				underWriters(c.writers, func(n notification) { f.Broadcast(n) }, churn(ctx, stop, t, f, ends)...)
			})
			st := f.Stats()
			found, through := ps.waits(ofFanout)
			for _, stack := range found {
				t.Errorf("below Broadcast: %s", stack)
			}
			t.Logf("%d broadcasts, %d accepted, %d pruned, %d cancelled; runtime's locks contended: %v",
				st.Broadcasts, st.Accepted, st.PrunedFull, st.Cancelled, through)
			if st.PrunedFull < uint64(ends) || st.Cancelled < uint64(ends) || st.Accepted < st.PrunedFull {
				t.Errorf("got %+v: too few ends for %d of each kind", st, ends)
			}
			closed(t, f)
		})
	}
}

func closed(t *testing.T, f *fanout) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// What the test above looks for is found where it is: in the linear baseline, and below a Broadcast whose sinks lie.
func TestWaitsAreFound(t *testing.T) {
	r := region.Region{}
	t.Run("linear", func(t *testing.T) {
		l := NewLinear(notification.Point)
		for range 50_000 { // which makes a Broadcast so long that even a lone processor is taken away inside
			l.Subscribe(region.Region{Entity: "b"}, 1)
		}
		wantFound(t, ofLinear, "sync.(*Mutex).Lock", func(n notification) { l.Broadcast(n) }, func() { l.Subscribe(r, 1) })
	})
	for _, liar := range []struct {
		name, want string
		sink       core.Sink[notification]
	}{
		{"a mutex", "sync.(*Mutex).Unlock", new(locking)},
		{"a read lock", "sync.(*RWMutex).RLock", new(readLocking)},
		{"a channel", "runtime.chansend1", awaited()},
		{"a select", "runtime.selectgo", selectsInOffer{awaited(), make(chan struct{})}},
	} {
		t.Run(liar.name, func(t *testing.T) {
			f := core.New(core.Config[notification]{})
			if _, err := f.Subscribe(context.Background(), r, liar.sink); err != nil {
				t.Fatal(err)
			}
			other := func() {}
			if s, ok := liar.sink.(interface{ other() }); ok {
				other = s.other
			}
			wantFound(t, ofFanout, liar.want, func(n notification) { f.Broadcast(n) }, other)
			closed(t, f)
		})
	}
}

// wantFound has writers broadcast and the other called, again and again, until a stack is found that has the function.
func wantFound(t *testing.T, entry *regexp.Regexp, function string, broadcast func(notification), other func()) {
	t.Helper()
	var last []string
	for range 200 {
		ps := contention(t, func() {
			underWriters(4, broadcast, func() {
				for range 3 {
					other()
					runtime.Gosched()
				}
			})
		})
		found, _ := ps.waits(entry)
		if slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, function) }) {
			return
		}
		last = found
	}
	t.Errorf("no stack has %s; the last round's were %q", function, last)
}

type locking struct {
	mu sync.Mutex
	n  uint64
}

func (s *locking) Offer(n notification) core.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += n.Sequence
	runtime.Gosched() // to those who want the lock
	return core.Accepted
}
func (s *locking) Close(error) {}

type readLocking struct {
	mu sync.RWMutex
	n  uint64
}

func (s *readLocking) Offer(notification) core.Verdict {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return core.Accepted
}

func (s *readLocking) other() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 10 {
		s.n++
		runtime.Gosched()
	}
}
func (s *readLocking) Close(error) {}

// A blocking sink waits for its reader.
type blocking struct{ out chan notification }

func (s blocking) Offer(n notification) core.Verdict { s.out <- n; return core.Accepted }
func (s blocking) Close(error)                       { close(s.out) }

type selectsInOffer struct {
	blocking
	never chan struct{}
}

func (s selectsInOffer) Offer(n notification) core.Verdict {
	select {
	case s.out <- n:
	case <-s.never:
	}
	return core.Accepted
}

// awaited returns a blocking sink that is read.
func awaited() blocking {
	out := make(chan notification)
	go func() {
		for range out {
		}
	}()
	return blocking{out}
}
