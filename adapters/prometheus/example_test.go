package prometheus_test

import (
	"context"
	"fmt"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// One Collector shows all of a program's Fanouts. A handler of package promhttp would serve the registry.
func ExampleNewCollector() {
	orders := core.New(core.Config[string]{Name: "orders"})
	payments := core.New(core.Config[string]{Name: "payments"})
	registry := prom.NewRegistry()
	registry.MustRegister(prometheus.NewCollector(orders, payments))

	ctx := context.Background()
	if _, err := channel.Subscribe(ctx, orders, region.Region{}, 2); err != nil {
		panic(err)
	}
	for _, v := range []string{"a", "b", "one too many"} {
		orders.Broadcast(v)
	}
	if err := orders.Wait(ctx); err != nil {
		panic(err)
	}

	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 {
				fmt.Println(f.GetName(), m.GetLabel()[0].GetValue(), v)
			}
		}
	}
	// Output:
	// spillway_accepted_total orders 2
	// spillway_broadcasts_total orders 3
	// spillway_matched_total orders 3
	// spillway_pruned_total orders 1
	// spillway_subscribed_total orders 1
}
