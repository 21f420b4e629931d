// Package core offers each event to the subscriptions it concerns, without ever making the writer wait.
//
//	fanout := core.New(core.Config[string]{})
//	sub, err := channel.Subscribe(ctx, fanout, region.Region{}, 64) // any Sink will do
//	fanout.Broadcast("hello")
//	event, err := sub.Next(ctx)
//
// A Fanout keeps its subscriptions in an index by what they asked for. Broadcast walks those that
// match and offers the event to the sink of each. A sink that answers Full or Closed is pruned: its
// subscription ends in that broadcast, with a *PrunedError that says what it missed first. Whoever
// needs every event reads on from there in a log (package cursor).
//
// # An event's life
//
//	Broadcast(v)                                                        broadcast.go
//	   │  nobody there? done: one atomic load
//	   ▼
//	Locate(v), if Regions other than the zero Region are in use         lookup.go
//	   │
//	   ▼
//	enter: count into the open epoch, look again                        walk.go, grace.go
//	   │
//	   ▼                                  ┌─ not open, or over: passed over
//	members with the zero Region ──each──▶┤
//	   │                                  └─ live: send on its channel, or Offer ─┬─ Accepted
//	   ▼                                                                          │
//	keys that match the Point ─────each──▶ (the same)        region.Matches       └─ Full, Closed, panic
//	   │                                                                                │ one compare-and-swap
//	   ▼                                                                                ▼
//	leave: count out; wake a reaper that waits for that                          the retire list        prune.go
//	   │                                                                                │
//	   ▼                                                                                ▼
//	Outcome                               reaper: grace ─▶ out of registry and index ─▶ Err ─▶ Sink.Close
//	                                              reaper.go                              ─▶ Ended ─▶ Done
//
// # Promises
//
// Each is proved by the test of its name, TestG1NeverPaced and so on.
//
//   - G1 Never paced. Broadcast takes no mutex, spins on nothing and makes no blocking call. Waking a
//     reader costs at most making one goroutine runnable. How slow, stuck or dead a subscriber is
//     does not change what a broadcast costs. (A channel costs Go's own lock of that channel, held for one copy.)
//   - G2 Filtered at push. A sink is offered only events in its region.
//   - G3 Pruned on refusal. Full or Closed ends the subscription in that broadcast, once, with one
//     PrunedError; no broadcast that begins afterwards offers to it. What was accepted stays readable.
//   - G4 No silent loss. What a subscription accepted of broadcasts that don't overlap is a gapless run, in
//     order, of the matching events since its start, and Missed is the next one. Of broadcasts that
//     overlap each event offered is accepted or refused, none twice; none is offered after a refusal; Missed
//     is the least sequence refused or passed over. Offered = received + held + lost + refused.
//   - G5 Registered on return. A broadcast that begins after Subscribe returns reaches the subscription; one
//     that ended before it was called never does. It becomes visible by one store.
//   - G6 Order. One goroutine's broadcasts reach each subscription in order.
//   - G7 Over is over. Last Offer returned, Err set, Sink.Close called and returned, Ended told, Done closed:
//     in that order, once each. Cancel, prune, Close and context may race; one wins, and Err says which.
//   - G8 No crash by design. Nothing sends on a closed channel. Broadcast, Subscribe, Cancel and Close may be
//     called from Offer, Close and Observers. A panic in Locate reaches the caller of Broadcast; one in a sink
//     ends that subscription alone; one in Close or an Observer is counted.
//   - G9 Dead means gone. A subscription whose owner has ended it leaves registry and index without
//     another event, and its sink and buffer are collectable when Done closes.
//   - G10 No cost for others. Subscriptions that don't match add nothing measurable to a broadcast.
//
// # What the caller owes
//
// What an event points to is shared by all who get it: nobody changes it after Broadcast. Sinks
// don't block, and return soon from Close. Config.SingleWriter is kept if it is given. Wait is not
// called from a handler, a sink's Close or an Observer.
//
// # What is not promised
//
// No order between the events of two goroutines that broadcast at the same time: one total order is the
// Journal's, in package cursor. No delivery across a crash. No notice of a reader that merely
// stops reading, before the first event that doesn't fit. In an overlap of a prune with other
// writers' broadcasts, events after Missed may have been accepted: a reader that resumes from Missed
// skips what it has.
package core
