package multicast

import "github.com/spillwayhq/spillway/core"

// mostGone is how many Readers that are over may be on the list of those who sleep before they are cleared from it.
const mostGone = 64

// end ends the Reader, unless another end came first.
func (r *Reader[T]) end(cause error) (first bool) {
	if !r.cause.CompareAndSwap(nil, &cause) {
		return false
	}
	r.lot.End(cause)
	m := r.ring
	m.mu.Lock()
	delete(m.readers, r)
	m.shrink()
	m.setSole()
	clear := false
	if r.listed.Load() {
		m.gone++
		if clear = m.gone > max(mostGone, len(m.readers)); clear {
			m.gone = 0
		}
	}
	m.mu.Unlock()
	if clear {
		m.sleep.round() // where no event comes the list would only grow
	}
	if stop := r.stop.Load(); stop != nil {
		(*stop)()
	}
	return true
}

// shrink makes the map of Readers anew when three quarters of them have gone: a map itself never gives memory back, and to
// look for the last one in a large one takes long. Under m.mu.
func (m *Ring[T]) shrink() {
	if m.readers == nil || len(m.readers) >= m.most/4 {
		return
	}
	rest := make(map[*Reader[T]]struct{}, len(m.readers))
	for r := range m.readers {
		rest[r] = struct{}{}
	}
	m.readers, m.most = rest, len(rest)
}

// endLapped ends a Reader that lags by more than the capacity. Under r.mu.
func (r *Reader[T]) endLapped() {
	m := r.ring
	lapped := &core.PrunedError{Fanout: m.fanout.Name(), ID: m.ID(), Region: m.Region(), Verdict: core.Full}
	if m.order.next.Load() > 0 { // somebody was located
		lapped.Missed, lapped.HasMissed = m.order.least(r.place, r.expected), true
	}
	if r.end(lapped) {
		m.lapped.Add(1)
	}
}

// endWithRing ends a Reader whose Ring is over: no place is claimed any more.
func (r *Reader[T]) endWithRing(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lapped() {
		r.endLapped()
		return
	}
	r.drains = r.end(cause)
}
