package latest

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// A table finds the cell of a key. It is open-addressed, at most half full, and nothing is ever taken out: a cell is
// installed by one compare-and-swap, written whole, so that nobody who comes past has to wait for another.
type table[T any, K comparable] struct {
	seed    maphash.Seed
	maxKeys int

	// places are probed one after the other from a hash on.
	//   written by: cell, from nil, by compare-and-swap
	//   read by:    the same
	//   order:      a cell is filled before it is installed, and stays
	places []atomic.Pointer[cell[T, K]]

	// ranked are the cells in the order in which they were counted.
	//   written by: count, from nil, by compare-and-swap
	//   read by:    the same
	//   order:      a cell's rank is written before counted goes past it
	ranked []atomic.Pointer[cell[T, K]]

	// counted is how many of ranked have a rank.
	//   written by: count, by compare-and-swap, one at a time
	//   read by:    the same
	//   order:      read before a cell's rank is: a cell without one is in none of the places before
	counted atomic.Uint64
}

// tooMany is the rank of a key that came when there were MaxKeys.
const tooMany = math.MaxUint64

func (t *table[T, K]) init(maxKeys int) {
	t.seed, t.maxKeys = maphash.MakeSeed(), maxKeys
	t.ranked = make([]atomic.Pointer[cell[T, K]], maxKeys)
	t.places = make([]atomic.Pointer[cell[T, K]], 2<<bits.Len(uint(maxKeys-1)))
}

// cell returns the cell of k, a new one where k is new; nil where it is one too many. It panics over a key that
// can't be hashed.
func (t *table[T, K]) cell(k K) *cell[T, K] {
	hash := maphash.Comparable(t.seed, k)
	full := t.counted.Load() == uint64(t.maxKeys) // before the places: a key that counts is in its place by now
	mask := uint64(len(t.places) - 1)
	var fresh *cell[T, K]
	for i := range uint64(len(t.places)) {
		place := &t.places[(hash+i)&mask]
		c := place.Load()
		if c == nil {
			if full {
				return nil
			}
			if fresh == nil {
				fresh = &cell[T, K]{key: k, hash: hash}
			}
			step.At("latest:installing")
			if place.CompareAndSwap(nil, fresh) {
				c = fresh
			} else {
				c = place.Load()
			}
		}
		if c.hash == hash && c.key == k {
			if c.rank.Load() == 0 {
				t.count(c)
			}
			if c.rank.Load() == tooMany {
				return nil
			}
			return c
		}
	}
	return nil
}

// count gives c its rank among the distinct keys, helping those before it to theirs: who has installed a cell may
// have stopped before it was counted, and nobody is to wait for that, nor to take it for one more. Each
// retry means that some cell was counted. docs/models/ranks.pml is the proof.
func (t *table[T, K]) count(c *cell[T, K]) {
	for {
		n := t.counted.Load()
		if c.rank.Load() != 0 {
			return
		}
		if n == uint64(t.maxKeys) {
			c.rank.CompareAndSwap(0, tooMany)
			return
		}
		next := t.ranked[n].Load()
		if next == nil {
			step.At("latest:ranking")
			if t.ranked[n].CompareAndSwap(nil, c) {
				next = c
			} else {
				next = t.ranked[n].Load()
			}
		}
		next.rank.CompareAndSwap(0, n+1)
		step.At("latest:ranked")
		t.counted.CompareAndSwap(n, n+1)
	}
}
