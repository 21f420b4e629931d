// Package prometheus shows the figures of Fanouts to Prometheus.
//
//	registry.MustRegister(prometheus.NewCollector(orders, payments))
//	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
//
// Every series has the label fanout, a Fanout's name. The label reason is "full" or "closed". There is no
// other, so a Fanout has as many series with a hundred thousand subscriptions as with none:
//
//	spillway_subscriptions_live           gauge    subscriptions that are open and not over
//	spillway_subscriptions_retiring       gauge    subscriptions that are over and not done
//	spillway_slow_close_seconds           gauge    how long the Close or Observer call has taken that the ends wait for
//	spillway_subscribed_total             counter  subscriptions begun
//	spillway_cancelled_total              counter  subscriptions ended by Cancel, a context or Close
//	spillway_pruned_total{reason}         counter  subscriptions ended because their sink refused an event
//	spillway_broadcasts_total             counter  broadcasts that found somebody live
//	spillway_matched_total                counter  offers made
//	spillway_accepted_total               counter  offers accepted
//	spillway_lost_total                   counter  accepted events overwritten or replaced, and multicast Readers lapped
//	spillway_panics_total                 counter  panics of user code, recovered
//
// A scrape reads each Fanout's Stats, once. It walks no subscriptions and holds up no broadcast, also where a
// sink that is asked for what it lost is slow to say. What single subscriptions do is on the page of package debug.
//
// Rules, alerts and a dashboard for these series are in docs/prometheus.
package prometheus
