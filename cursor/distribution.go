package cursor

import "math/bits"

// A Distribution counts values by their size in powers of two: Buckets[i] are those from 1<<(i-1) up to, not including, 1<<i;
// Buckets[0] those that are 0; the last those that are larger than any other takes, too. It is 400 bytes, and made to be copied.
type Distribution struct {
	Count   uint64
	Sum     uint64
	Buckets [48]uint64
}

// Observe counts a value.
func (h *Distribution) Observe(v uint64) {
	h.Count++
	h.Sum += v
	h.Buckets[min(bits.Len64(v), len(h.Buckets)-1)]++
}
