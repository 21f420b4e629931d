package region

// A Point is what an Index sees of one event.
type Point struct {
	Entity, Scope string
	Kind          Kind
	Lane          uint32
	Sequence      uint64 // the log's, over all entities; 0 is a sequence like any other
}
