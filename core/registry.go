package core

// register puts n among the living, so that Subscriptions lists it and broadcasts come past it. No
// broadcast offers before the state says opened. Under f.mu.
func (f *Fanout[T]) register(n *node[T]) {
	f.number(n)
	n.place = uint32(len(f.nodes))
	f.nodes = append(f.nodes, n)
	if s, ok := (*n.sink()).(lossySink); ok {
		if f.lossy == nil {
			f.lossy = make(map[*node[T]]lossySink)
		}
		f.lossy[n] = s
	}
	f.index.Insert(&n.entry)
}

// number gives n its ID, unless it has one. Under f.mu.
func (f *Fanout[T]) number(n *node[T]) {
	if n.id == 0 {
		f.lastID++
		n.id = f.lastID
	}
}

// unregister is the inverse of register. It returns where the index still holds the member for broadcasts that
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
