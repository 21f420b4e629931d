package region

// A Point is what an Index sees of one event: where it is among everything that can be asked for. Nothing
// checks its names. Those of a Coordinate are good; any other string is matched byte for byte as well.
type Point struct {
	Entity, Scope string
	Kind          Kind
	Lane          uint32
	Sequence      uint64 // the log's, over all entities; no Region asks for it, and 0 is one like any other
}
