package core

// A Verdict is a Sink's answer to one event.
type Verdict uint8

const (
	// Accepted says that the sink has the event, and will not lose it without counting it as lost.
	Accepted Verdict = iota
	// Full says that the sink has no room, and has kept nothing of the event.
	Full
	// Closed says that the sink's far end is gone; it has kept nothing of the event.
	Closed
)

// String returns the Verdict's name in lower case.
func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Full:
		return "full"
	case Closed:
		return "closed"
	}
	return "unknown verdict"
}

// A Sink takes events for one Subscription. Any type can be one; adapters/sinktest tells whether
// it keeps to these rules.
//
// A Sink may have more methods, each found by its signature when it is subscribed:
//
//   - Chan() chan<- T: the sink is nothing but a channel. The Fanout sends on it by itself and reads
//     "not ready" as Full; Offer is then never called. Called once, in Subscribe. Only the sink's
//     Close may close the channel.
//   - Attach(s *Subscription): called once, in Subscribe, before the first Offer: for a sink that
//     ends itself when its far end has gone. Cancel and CancelCause are allowed inside.
//   - Held() (held, capacity int): a Gauge: how many events wait in its buffer, and how many fit.
//     Called from any goroutine at any time, after Close too.
//   - Lost() uint64: how many accepted events were overwritten or replaced. Called like Held.
type Sink[T any] interface {
	// Offer may be called by several broadcasting goroutines at once. It never blocks, and keeps
	// nothing of v unless it answers Accepted. What v points to is shared with every other
	// subscriber: nobody changes it.
	Offer(v T) Verdict

	// Close is called once, after the last Offer has returned; cause says why, as the
	// Subscription's Err does. It returns soon: other subscriptions' ends wait for it.
	Close(cause error)
}

type chanSink[T any] interface{ Chan() chan<- T }

type attachSink interface{ Attach(s *Subscription) }

type gaugeSink interface{ Held() (held, capacity int) }

type lossySink interface{ Lost() uint64 }
