package prometheus_test

import (
	"context"
	"fmt"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A log, its journal, its fan-out and whoever follows: one Collector shows them all.
func ExampleSources() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		panic(err)
	}
	orders := core.New(core.Config[core.Envelope]{Name: "orders", Locate: core.Envelope.Point, SingleWriter: true})
	journal := cursor.NewJournal(log, orders, cursor.JournalOptions{Name: "orders"})
	followers := prometheus.NewFollowers(orders.Name(), log)

	registry := prom.NewRegistry()
	registry.MustRegister(prometheus.Sources{
		Fanouts:   []core.Source{orders},
		Journals:  []cursor.JournalSource{journal},
		Logs:      map[string]cursor.LogSource{"orders": log},
		Followers: []*prometheus.Followers{followers},
	}.Collector())

	follower := cursor.Follow(ctx, log, orders, region.Region{}, cursor.FollowOptions{
		Feed: func(ctx context.Context, f *core.Fanout[core.Envelope], r region.Region) (cursor.Feed, error) {
			return channel.Subscribe(ctx, f, r, 16)
		},
	})
	followers.Add(follower) // when it has ended it is let go of
	shop, err := region.NewCoordinate("order:7", "shop")
	if err != nil {
		panic(err)
	}
	if _, err := journal.Append(ctx, []cursor.Draft{{Coordinate: shop}, {Coordinate: shop}}); err != nil {
		panic(err)
	}
	for e, err := range follower.Events() {
		if err != nil {
			panic(err)
		}
		if e.Sequence == 1 {
			break
		}
	}

	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "spillway_log_events":
				fmt.Println(f.GetName(), m.GetGauge().GetValue())
			case "spillway_follower_ended_total":
				fmt.Println(f.GetName(), m.GetCounter().GetValue())
			case "spillway_journal_group_events":
				fmt.Println(f.GetName(), m.GetHistogram().GetSampleSum())
			}
		}
	}
	if err := journal.Close(ctx); err != nil {
		panic(err)
	}
	// Output:
	// spillway_follower_ended_total 1
	// spillway_journal_group_events 2
	// spillway_log_events 2
}
