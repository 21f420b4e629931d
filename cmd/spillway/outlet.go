package main

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// adapters are what --adapter may name, in the order in which mixed deals them out.
var adapters = []string{"channel", "callback", "ring", "overwrite", "multicast", "latest"}

// mixed names all of them, in turn.
const mixed = "mixed"

// An outlet is where the events of one subscription come out, by whichever adapter.
type outlet interface {
	// read calls take with each event as it comes, one at a time, until the subscription is over and what it
	// had accepted is read, or, where it was lapped, is gone.
	read(take func(*core.Envelope))

	// rest calls take with what was accepted and not read. The subscription is over, and nobody reads.
	rest(take func(*core.Envelope))

	// waiting returns how many events wait to be read, of how many that may; 0, 0 where waiting loses nothing that
	// reading in time would not.
	waiting() (n, capacity int)

	// lost returns how many accepted events were overwritten or replaced.
	lost() int

	// err returns why it is over.
	err() error
}

// An order is what the outlets of a replay have in common.
type order struct {
	fanout   *core.Fanout[*core.Envelope]
	capacity int
	keys     int // distinct coordinates in the input, for latest
}

// outlet subscribes to a region by the adapter of a name. The outlet of one that is stuck is never read.
func (o order) outlet(adapter string, r region.Region, stuck bool) (outlet, error) {
	ctx := context.Background()
	switch adapter {
	case "channel":
		s, err := channel.Subscribe(ctx, o.fanout, r, o.capacity)
		return channelOutlet{s}, err
	case "callback":
		return newCallbackOutlet(ctx, o, r, stuck)
	case "ring", "overwrite":
		policy := ring.Prune
		if adapter == "overwrite" {
			policy = ring.Overwrite
		}
		s, err := ring.Subscribe(ctx, o.fanout, r, ring.Options{Capacity: o.capacity, WhenFull: policy})
		return ringOutlet{s, o.capacity}, err
	case "multicast":
		m, err := multicast.Open(ctx, o.fanout, r, o.capacity)
		if err != nil {
			return nil, err
		}
		s, err := m.Reader(ctx, multicast.FromNext)
		return multicastOutlet{s, o.capacity}, err
	case "latest":
		s, err := latest.Subscribe(ctx, o.fanout, r, latest.Options{MaxKeys: o.keys}, func(e *core.Envelope) region.Coordinate {
			return e.Coordinate
		})
		return latestOutlet{s}, err
	}
	return nil, fmt.Errorf("no adapter is called %q", adapter)
}

type channelOutlet struct {
	*channel.Subscription[*core.Envelope]
}

func (o channelOutlet) read(take func(*core.Envelope)) {
	for e := range o.C() {
		take(e)
	}
}

func (o channelOutlet) rest(take func(*core.Envelope)) { o.read(take) }

func (o channelOutlet) waiting() (n, capacity int) { return len(o.C()), cap(o.C()) }

func (o channelOutlet) lost() int { return 0 }

func (o channelOutlet) err() error { return o.Err() }

// A batch is how many events are read at a time.
const batch = 256

// batches is an outlet's subscription that is read so.
type batches interface {
	NextBatch(ctx context.Context, dst []*core.Envelope) (int, error)
}

func readBatches(from batches, take func(*core.Envelope)) {
	events := make([]*core.Envelope, batch)
	for {
		n, err := from.NextBatch(context.Background(), events)
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			take(e)
		}
	}
}

type ringOutlet struct {
	*ring.Subscription[*core.Envelope]
	capacity int
}

func (o ringOutlet) read(take func(*core.Envelope)) { readBatches(o, take) }

func (o ringOutlet) rest(take func(*core.Envelope)) { readBatches(o, take) }

func (o ringOutlet) waiting() (n, capacity int) { return o.Len(), o.capacity }

func (o ringOutlet) lost() int { return int(o.Lost()) }

func (o ringOutlet) err() error { return o.Err() }

type multicastOutlet struct {
	*multicast.Reader[*core.Envelope]
	capacity int
}

func (o multicastOutlet) read(take func(*core.Envelope)) { readBatches(o, take) }

func (o multicastOutlet) rest(take func(*core.Envelope)) { readBatches(o, take) }

func (o multicastOutlet) waiting() (n, capacity int) { return o.Lag(), o.capacity }

func (o multicastOutlet) lost() int { return 0 }

func (o multicastOutlet) err() error { return o.Err() }

type latestOutlet struct {
	*latest.Subscription[*core.Envelope, region.Coordinate]
}

func (o latestOutlet) read(take func(*core.Envelope)) {
	for {
		e, err := o.Next(context.Background())
		if err != nil {
			return
		}
		take(e)
	}
}

func (o latestOutlet) rest(take func(*core.Envelope)) { o.read(take) }

func (o latestOutlet) waiting() (n, capacity int) { return 0, 0 }

func (o latestOutlet) lost() int { return int(o.Lost()) }

func (o latestOutlet) err() error { return o.Err() }

// A callbackOutlet is read by its function. That of a stuck one is stopped in its first call until the
// subscription is over: what it is called with then was accepted and not read.
type callbackOutlet struct {
	*callback.Subscription
	capacity int
	take     chan func(*core.Envelope) // what the function is to call, when somebody has come to read
}

func newCallbackOutlet(ctx context.Context, o order, r region.Region, stuck bool) (outlet, error) {
	out := &callbackOutlet{capacity: o.capacity, take: make(chan func(*core.Envelope), 1)}
	var take func(*core.Envelope)
	s, err := callback.Subscribe(ctx, o.fanout, r, callback.Options{Queue: o.capacity}, func(e *core.Envelope) {
		if take == nil {
			take = <-out.take
		}
		take(e)
	})
	out.Subscription = s
	return out, err
}

func (o *callbackOutlet) read(take func(*core.Envelope)) {
	o.take <- take
	_ = o.Wait(context.Background()) // without a deadline there is no error
}

// rest has the function called with what is left.
func (o *callbackOutlet) rest(take func(*core.Envelope)) {
	select {
	case o.take <- take:
	default: // read was here
	}
	_ = o.Wait(context.Background())
}

func (o *callbackOutlet) waiting() (n, capacity int) { return o.Len(), o.capacity }

func (o *callbackOutlet) lost() int { return 0 }

func (o *callbackOutlet) err() error { return o.Err() }
