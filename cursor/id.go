package cursor

import (
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/spillwayhq/spillway/core"
)

// NewID returns the name of a new event: a UUID of version 7, so that names sort by the time at which they were made.
// Of two made by one process the later is the greater.
func NewID() core.ID { return core.ID(uuid.Must(uuid.NewV7())) }

// A LogID is the identity of a Log. It is made once, with the Log, and goes where its events go: a place in one Log
// means nothing in another. The zero LogID is none.
type LogID [16]byte

// NewLogID returns the identity of a new Log.
func NewLogID() LogID { return LogID(NewID()) }

// String returns the LogID as 32 hexadecimal digits.
func (id LogID) String() string { return hex.EncodeToString(id[:]) }
