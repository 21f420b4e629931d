package prometheus_test

import (
	"context"
	"errors"
	"os/exec"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tool returns the path of a program of Debian's package prometheus, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; Debian has it in its package prometheus", name)
	}
	return path
}

// sink answers every event with its verdict, says that it lost lost, and is closed by close.
type sink struct {
	verdict core.Verdict
	lost    uint64
	close   func()
}

func (s sink) Offer(int) core.Verdict { return s.verdict }
func (s sink) Lost() uint64           { return s.lost }

func (s sink) Close(error) {
	if s.close != nil {
		s.close()
	}
}

// program is what Prometheus looks at: a Fanout of which every figure is another, one whose name is hostile, and a Journal over a Log, with
// Followers.
type program struct {
	orders   *core.Fanout[int]
	hostile  *core.Fanout[int]
	registry *prom.Registry
}

const hostileName = "\x00\n\"\\{}<b>\xff\u202e"

// want are the series of orders, but for how long the Close under way has taken.
var want = map[string]float64{
	`spillway_subscriptions_live`:            2,
	`spillway_subscriptions_retiring`:        3,
	`spillway_subscribed_total`:              16,
	`spillway_cancelled_total`:               5,
	`spillway_pruned_total{reason="full"}`:   7,
	`spillway_pruned_total{reason="closed"}`: 2,
	`spillway_broadcasts_total`:              10,
	`spillway_matched_total`:                 29,
	`spillway_accepted_total`:                20,
	`spillway_lost_total`:                    13,
	`spillway_panics_total`:                  1,
}

// start returns the program with its figures made. Its end waits for all that it began.
func start(t *testing.T) *program {
	t.Helper()
	p := &program{
		orders:   core.New(core.Config[int]{Name: "orders"}),
		hostile:  core.New(core.Config[int]{Name: hostileName}),
		registry: prom.NewPedanticRegistry(),
	}
	sources := follow(t)
	sources.Fanouts = []core.Source{p.orders, p.hostile}
	p.registry.MustRegister(sources.Collector())
	mayClose := make(chan struct{})
	t.Cleanup(func() {
		close(mayClose)
		_ = p.orders.Close()
		if err := p.orders.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
	subscribe := func(s core.Sink[int]) *core.Subscription {
		t.Helper()
		sub, err := p.orders.Subscribe(context.Background(), region.Region{}, s)
		if err != nil {
			t.Fatal(err)
		}
		return sub
	}

	reader, err := channel.Subscribe(context.Background(), p.orders, region.Region{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	subscribe(sink{lost: 13})
	for range 7 {
		subscribe(sink{verdict: core.Full})
	}
	for range 2 {
		subscribe(sink{verdict: core.Closed})
	}
	for i := range 10 {
		p.orders.Broadcast(i)
	}
	if len(reader.C()) != 10 {
		t.Fatalf("the reader holds %d events, want 10", len(reader.C()))
	}
	subscribe(sink{close: func() { panic(errors.New("mine")) }}).Cancel()
	subscribe(sink{}).Cancel()
	if err := p.orders.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	subscribe(sink{close: func() {
		close(stuck)
		<-mayClose
	}}).Cancel()
	<-stuck
	for range 2 {
		subscribe(sink{}).Cancel()
	}
	return p
}
