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
	drafts := events(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{MaxEvents: 1 << 17})
		h := &history{writer: w, drafts: drafts, parts: parts(drafts)}
		shared, err := multicast.Open(context.Background(), w.fanout, region.Region{}, capacity)
		if err != nil {
			t.Fatal(err)
		}
		var followers []*cursor.Follower
		var wg sync.WaitGroup
		begin := func(feed feedFunc, part int) {
			f := w.follow(t, h.parts[part], cursor.FollowOptions{Feed: feed, ProgressEvery: awhile})
			followers = append(followers, f)
			wg.Go(func() { h.verify(t, f, part) })
		}
		for part := range h.parts {
			for _, feed := range feeds {
				begin(feed.of(capacity), part)
				begin(feed.of(1+capacity/4), part)
			}
			begin(byShared(shared), part)
		}
		seed := uint64(time.Now().UnixNano()) // the bubble's: the same each time
		random := rand.New(rand.NewPCG(seed, 2))
		for {
			var writers sync.WaitGroup
			for range 2 {
				n := random.IntN(burst/2) + 1
				writers.Go(func() {
					for range n {
						h.add(t)
					}
				})
			}
			writers.Wait()
			if random.IntN(4) > 0 {
				synctest.Wait()
			}
			if random.IntN(4) > 0 {
				time.Sleep(3 * awhile) // those who had to be patient join
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

// A history is what a writer has appended, of drafts that come again and again.
type history struct {
	*writer
	drafts []cursor.Draft
	at     int // of drafts, comes next
	parts  []region.Region

	mu sync.RWMutex
	is []uint8 // of each sequence: which parts it is in
}

// add appends the next event.
func (h *history) add(t testing.TB) {
	h.writer.mu.Lock()
	defer h.writer.mu.Unlock()
	d := &h.drafts[h.at]
	var is uint8
	for part, r := range h.parts {
		if r.Match(region.Point{Entity: d.Coordinate.Entity(), Scope: d.Coordinate.Scope(), Kind: d.Kind}) {
			is |= 1 << part
		}
	}
	h.mu.Lock() // first: a Follower may read it as soon as it is in the log
	h.is = append(h.is, is)
	h.mu.Unlock()
	made, err := h.log.Append(context.Background(), h.drafts[h.at:h.at+1])
	if err != nil {
		t.Error(err)
		return
	}
	h.at = (h.at + 1) % len(h.drafts)
	h.fanout.BroadcastAll(made)
}

// next returns the first sequence of a part from one on; the end where there is none.
func (h *history) next(part int, from uint64) uint64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for ; from < uint64(len(h.is)) && h.is[from]>>part&1 == 0; from++ {
	}
	return from
}

// verify reads up to the end, and finds every event of a part, in order, and each mark in its place.
func (h *history) verify(t *testing.T, f *cursor.Follower, part int) {
	last, from := cursor.NoMark, uint64(0)
	for i, err := range f.All() {
		switch next := h.next(part, from); {
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
			from = next + 1
		case i.Mark.Place < from || i.Mark.Place > next:
			t.Errorf("%s after %d, and %d is to come", i.Mark, from, next)
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
