package memlog

import "maps"

// A table is a map that gives memory back: Go's keep room for as much as they ever held.
type table[K comparable, V any] struct {
	rows map[K]V
	most int // that rows has held since it was made
}

func newTable[K comparable, V any]() table[K, V] { return table[K, V]{rows: make(map[K]V)} }

func (t *table[K, V]) put(key K, v V) {
	t.rows[key] = v
	t.most = max(t.most, len(t.rows))
}

// drop drops a row. When a quarter is left of what there was, and no more than can be copied while others wait, it is
// given a map of its size.
func (t *table[K, V]) drop(key K) {
	delete(t.rows, key)
	if t.most <= maxTested || len(t.rows) > min(t.most/4, maxTested) {
		return
	}
	rows := make(map[K]V, len(t.rows))
	maps.Copy(rows, t.rows)
	t.rows, t.most = rows, len(rows)
}
