package cursor_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// handOffs is how many parks, and how many joins, TestHandOffs goes on for. SPILLWAY_HANDOFFS is another number.
func handOffs(t *testing.T) uint64 {
	if s := os.Getenv("SPILLWAY_HANDOFFS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 1000
	}
	return 10_000
}

// TestHandOffs: two writers append at full speed, by one journal, to Followers whose feeds hardly hold anything: they are parked
// and go live again, each in its own goroutine, over and over. Each gets every event of its Region, once, in order.
func TestHandOffs(t *testing.T) {
	want := handOffs(t)
	s := stress(t, 4, 40, func(s cursor.FollowStats) bool { return s.Parked < want || s.Resumed < want })
	t.Logf("%d parks, %d joins; %d events live, %d pulled", s.Parked, s.Resumed, s.Live, s.Pulled)
	if s.Parked < want || s.Resumed < want {
		t.Errorf("%d parks and %d joins, want %d of each", s.Parked, s.Resumed, want)
	}
}

// TestHealthyIsLive: where there is room enough, most events are pushed.
func TestHealthyIsLive(t *testing.T) {
	s := stress(t, 512, 64, func(s cursor.FollowStats) bool { return s.Live+s.Pulled < 200_000 })
	t.Logf("%d parks, %d joins; %d events live, %d pulled", s.Parked, s.Resumed, s.Live, s.Pulled)
	if s.Live < s.Pulled {
		t.Errorf("%d events of %d were live, want half of them at least", s.Live, s.Live+s.Pulled)
	}
}

// stress has Followers of feeds of up to such a capacity follow bursts of up to so many events, as long as the sum of their
// figures has it go on. It returns that sum.
func stress(t *testing.T, capacity, burst int, goOn func(cursor.FollowStats) bool) (sum cursor.FollowStats) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{MaxEvents: 1 << 17})
		shared, err := multicast.Open(context.Background(), w.fanout, region.Region{}, capacity)
		if err != nil {
			t.Fatal(err)
		}
		var followers []*cursor.Follower
		var wg sync.WaitGroup
		begin := func(feed feedFunc, r region.Region) {
			f := w.follow(t, r, cursor.FollowOptions{Feed: feed, ProgressEvery: awhile})
			followers = append(followers, f)
			wg.Go(func() { verify(t, f, r) })
		}
		for _, r := range []region.Region{{}, {Entity: "even"}} {
			for _, feed := range feeds {
				begin(feed.of(capacity), r)
				begin(feed.of(1+capacity/4), r)
			}
			begin(byShared(shared), r)
		}
		seed := uint64(time.Now().UnixNano()) // the bubble's: the same each time
		random := rand.New(rand.NewPCG(seed, 2))
		for {
			var writers sync.WaitGroup
			for range 2 {
				n := random.IntN(burst/2) + 1
				writers.Go(func() {
					for range n {
						w.addNext(t)
					}
				})
			}
			writers.Wait()
			if random.IntN(4) > 0 {
				synctest.Wait()
			}
			if random.IntN(4) > 0 {
				time.Sleep(awhile) // those who had to be patient join
			}
			if sum = sumOf(followers); !goOn(sum) || t.Failed() {
				break
			}
		}
		synctest.Wait()
		time.Sleep(awhile)
		synctest.Wait()
		end, err := w.log.Bounds(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range followers {
			if s := f.Stats(); s.Place != end.Next {
				t.Errorf("follower %d is at %d of %d: %+v", i, s.Place, end.Next, s)
			}
			f.Cancel()
		}
		wg.Wait()
	})
	return sum
}

// addNext appends an event of "even" at even sequences, and of "odd" at others.
func (w *writer) addNext(t testing.TB) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := cursor.Draft{Coordinate: coordinate(t, [2]string{"even", "odd"}[w.count%2]), Kind: kind}
	w.count++
	made, err := w.log.Append(context.Background(), []cursor.Draft{d})
	if err != nil {
		t.Error(err)
		return
	}
	w.fanout.BroadcastAll(made)
}

// verify reads up to the end, and finds every event of r, in order.
func verify(t *testing.T, f *cursor.Follower, r region.Region) {
	step := uint64(1)
	if r != (region.Region{}) {
		step = 2
	}
	next, last := uint64(0), cursor.NoMark
	for i, err := range f.All() {
		switch {
		case err != nil:
			if err != core.ErrCancelled {
				t.Errorf("%v", err)
			}
			return
		case !i.IsMark():
			if i.Sequence != next {
				t.Errorf("got %d, want %d: %+v", i.Sequence, next, f.Stats())
				return
			}
			next += step
		case i.Mark.Place < next-min(next, step-1) || i.Mark.Place > next:
			t.Errorf("%s before %d", i.Mark, next)
		case i.Mark.Kind != cursor.Progress:
			if i.Mark.Kind == last || last == cursor.NoMark && i.Mark.Kind != cursor.CaughtUp {
				t.Errorf("%s after %s", i.Mark, last)
			}
			last = i.Mark.Kind
		}
	}
}

func sumOf(followers []*cursor.Follower) (sum cursor.FollowStats) {
	for _, f := range followers {
		s := f.Stats()
		sum.Live, sum.Pulled = sum.Live+s.Live, sum.Pulled+s.Pulled
		sum.Parked, sum.Resumed = sum.Parked+s.Parked, sum.Resumed+s.Resumed
	}
	return sum
}
