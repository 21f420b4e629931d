package core

import "github.com/spillwayhq/spillway/region"

// A node is a subscription as its Fanout keeps it: one allocation of 192 bytes for a T of any size.
// Its Entry comes first: what a broadcast reads of a lone subscriber starts on one cache line.
type node[T any] struct {
	entry region.Entry[member[T]]
	Subscription
	fanout *Fanout[T]
	sink   Sink[T] // set to nil when it has been closed; under Fanout.mu
}

// A member is what a broadcast walks. The channel stands beside the node, not in it, so that the next
// send needs no look at the node but for its state, and the two misses overlap.
type member[T any] struct {
	node *node[T]
	out  chan<- T // where the sink is nothing but a channel
}

func (n *node[T]) region() region.Region { return n.entry.Region() }

// register puts n among the living, so that Subscriptions lists it and broadcasts come past it. No
// broadcast offers before the state says opened. Under f.mu.
func (f *Fanout[T]) register(n *node[T]) {
	f.lastID++
	n.id = f.lastID
	n.place = uint32(len(f.nodes))
	f.nodes = append(f.nodes, n)
	if s, ok := n.sink.(lossySink); ok {
		if f.lossy == nil {
			f.lossy = make(map[*node[T]]lossySink)
		}
		f.lossy[n] = s
	}
	f.index.Insert(&n.entry)
}

// unregister is its inverse. It returns where the index still holds the member for broadcasts that
// have begun; see region.Index.Remove. Under f.mu.
func (f *Fanout[T]) unregister(n *node[T]) *member[T] {
	last := f.nodes[len(f.nodes)-1]
	f.nodes[n.place] = last
	last.place = n.place
	f.nodes[len(f.nodes)-1] = nil
	f.nodes = f.nodes[:len(f.nodes)-1]
	if len(f.nodes) < cap(f.nodes)/4 {
		f.nodes = append(make([]*node[T], 0, 2*len(f.nodes)), f.nodes...)
	}
	return f.index.Remove(&n.entry)
}
