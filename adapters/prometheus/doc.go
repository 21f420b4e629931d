// Package prometheus shows the figures of Fanouts, Journals, Logs and Followers to Prometheus.
//
//	registry.MustRegister(prometheus.NewCollector(orders, payments))
//	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
//
// Every series has one label, the name of what it is about: fanout, journal or log. A second one, where there is one, has a few values that
// are known before. So a Fanout has as many series with a hundred thousand subscriptions as with none, and a thousand Followers have as many
// as one:
//
//	spillway_subscriptions_live           gauge    subscriptions that are open and not over
//	spillway_subscriptions_retiring       gauge    subscriptions that are over and not done
//	spillway_slow_close_seconds           gauge    how long the Close or Observer call has taken that the ends wait for
//	spillway_subscribed_total             counter  subscriptions begun
//	spillway_cancelled_total              counter  subscriptions ended by Cancel, a context or Close
//	spillway_pruned_total{reason}         counter  subscriptions ended because their sink refused an event: full, closed
//	spillway_broadcasts_total             counter  broadcasts that found somebody live
//	spillway_matched_total                counter  offers made
//	spillway_accepted_total               counter  offers accepted
//	spillway_lost_total                   counter  accepted events overwritten or replaced, and multicast Readers lapped
//	spillway_panics_total                 counter  panics of user code, recovered
//
// Sources takes those, and of a Journal:
//
//	spillway_journal_queued_batches       gauge      batches that wait
//	spillway_journal_queued_events        gauge      their events
//	spillway_journal_queued_bytes         gauge      the bytes of their payloads
//	spillway_journal_committing_events    gauge      events of the group that is being committed
//	spillway_journal_failed               gauge      1: it has failed for good
//	spillway_journal_batches_total        counter    by outcome: added, refused, unknown
//	spillway_journal_events_total         counter    by kind: new, repeat, foreign, skipped
//	spillway_journal_retries_total        counter    groups that were appended again
//	spillway_journal_panics_total         counter    panics of Config.Locate
//	spillway_journal_group_events         histogram  events that were committed together
//	spillway_journal_commit_seconds       histogram  how long the Log took for a group
//	spillway_journal_append_seconds       histogram  from an append's call to its answer
//	spillway_journal_level_info           gauge      1, with the Level as a label
//
// of a Log:
//
//	spillway_log_events                   gauge      events that are kept
//	spillway_log_payload_bytes            gauge      bytes of their payloads
//	spillway_log_disk_bytes               gauge      bytes on a disk
//	spillway_log_entities                 gauge      entities whose clocks are kept
//	spillway_log_failed                   gauge      1: it appends nothing any more
//	spillway_log_appended_events_total    counter    events that were ever appended
//	spillway_log_dropped_events_total     counter    events that retention has passed
//	spillway_log_append_seconds           histogram  how long appends took, where the engine says
//	spillway_log_sync_seconds             histogram  how long syncs took, where the engine says
//	spillway_log_level_info               gauge      1, with the Level as a label
//
// and of Followers:
//
//	spillway_followers                    gauge      by state: catching up, joining, live, parked
//	spillway_follower_lag_events          histogram  how far each is from the Log's end now: ask it without a rate
//	spillway_follower_events_total        counter    events handed out, by push or pull
//	spillway_follower_parked_total        counter    how often they were pruned
//	spillway_follower_resumed_total       counter    how often they went live
//	spillway_follower_flaps_total         counter    how often they were pruned soon after that
//	spillway_follower_ended_total         counter    Followers that have ended
//
// A scrape reads each source's figures, once. It walks no subscriptions and holds up no broadcast, also where a
// sink that is asked for what it lost is slow to say. Of a Log that is followed it asks the Bounds, for a second at most. What single
// subscriptions do is on the page of package debug.
//
// Rules, alerts and a dashboard for these series are in docs/prometheus.
package prometheus
