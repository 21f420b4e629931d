package prometheus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// subscribeMany subscribes n sinks, each to an entity of its own.
func subscribeMany(t *testing.T, f *core.Fanout[int], n int) {
	t.Helper()
	for i := range n {
		if _, err := f.Subscribe(context.Background(), region.Region{Entity: fmt.Sprint("e:", i)}, sink{}); err != nil {
			t.Fatal(err)
		}
	}
}

// end closes f and waits for that.
func end(t *testing.T, f *core.Fanout[int]) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

func located(n int) region.Point {
	return region.Point{Entity: fmt.Sprint("e:", n), Scope: "s", Sequence: uint64(n)}
}

// TestScrapeWhileBroadcasting: writers broadcast to 100,000 subscriptions while several scrapes run. Nothing
// is counted wrong, and there are as many series as with one subscription.
func TestScrapeWhileBroadcasting(t *testing.T) {
	many, writers, rounds := 100_000, 4, 2000
	if testing.Short() {
		many, rounds = 10_000, 500
	}
	f := core.New(core.Config[int]{Name: "orders", Locate: located})
	defer end(t, f)
	subscribeMany(t, f, many)
	c := prometheus.NewCollector(f)

	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				f.Broadcast((w*rounds + i) % many)
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 50 {
				if n := testutil.CollectAndCount(c); n != perFanout {
					t.Errorf("%d series, want %d", n, perFanout)
				}
			}
		})
	}
	wg.Wait()
	series := gather(t, c)
	for name, want := range map[string]int{
		"spillway_subscriptions_live{orders}": many,
		"spillway_subscribed_total{orders}":   many,
		"spillway_broadcasts_total{orders}":   writers * rounds,
		"spillway_matched_total{orders}":      writers * rounds,
		"spillway_accepted_total{orders}":     writers * rounds,
	} {
		if got := series[name]; got != float64(want) {
			t.Errorf("%s: got %v, want %d", name, got, want)
		}
	}
}

// slowToSay is a sink that is asked what it lost and does not answer until it may.
type slowToSay struct {
	sink
	asked, answer chan struct{}
	once          *sync.Once
}

func (s slowToSay) Lost() uint64 {
	s.once.Do(func() { close(s.asked) })
	<-s.answer
	return 7
}

// TestStuckScrapeHoldsUpNobody: while a scrape is stuck in a sink of the user's, broadcasts end and
// subscriptions begin and end.
func TestStuckScrapeHoldsUpNobody(t *testing.T) {
	f := core.New(core.Config[int]{Name: "orders"})
	defer end(t, f)
	stuck := slowToSay{asked: make(chan struct{}), answer: make(chan struct{}), once: new(sync.Once)}
	if _, err := f.Subscribe(t.Context(), region.Region{}, stuck); err != nil {
		t.Fatal(err)
	}
	c := prometheus.NewCollector(f)
	scraped := make(chan int)
	go func() { scraped <- testutil.CollectAndCount(c) }()
	<-stuck.asked

	for i := range 100 {
		if out := f.Broadcast(i); out.Accepted != 1 {
			t.Errorf("broadcast %d: %+v", i, out)
		}
	}
	other, err := f.Subscribe(t.Context(), region.Region{}, sink{})
	if err != nil {
		t.Fatal(err)
	}
	other.Cancel()
	<-other.Done()
	select {
	case <-scraped:
		t.Error("the scrape did not wait: this test shows nothing")
	default:
	}
	close(stuck.answer)
	if n := <-scraped; n != perFanout {
		t.Errorf("%d series, want %d", n, perFanout)
	}
	if lost := gather(t, c)["spillway_lost_total{orders}"]; lost != 7 {
		t.Errorf("lost: got %v, want 7", lost)
	}
}
