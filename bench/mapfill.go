package bench

// FillMap puts every key into a new Go map and returns it: the least that remembering so many
// subscriptions can cost. All values are one pointer, so that nothing but the map itself allocates.
//
// With room for none the map grows as it fills, as a fan-out does that isn't told how many will come.
func FillMap(keys []MapKey, room int) map[MapKey]*int {
	m := make(map[MapKey]*int, room)
	v := new(int)
	for _, k := range keys {
		m[k] = v
	}
	return m
}
