package cursor

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Checkpoint is a durable place in a Log, and what it is bound to. A place in one Log means nothing in another, and
// in another Region it would pass over events: so all of it is stored as one.
type Checkpoint struct {
	Name       string
	Log        LogID
	Region     string // its canonical text
	RegionHash uint64 // Region.Hash
	Part       Part   // the zero Part is the whole Region
	Epoch      uint64 // counts the owners, from 1: each Claim is one
	Place      uint64 // the sequence below which every event was handled, or set aside
	Attempts   uint32 // how often the event at Place was begun, and not finished
	State      []byte // its owner's, as of Place
	Written    uint64 // milliseconds since 1970, as its owner gave it; 0: none

	// LastSequence and LastID are those of an event below Place, as Move notes them. Where the Log has another event there it has lost its
	// end and grown again, and Place means nothing in it: who begins there gets a *MismatchError. A zero LastID: none is known.
	LastSequence uint64
	LastID       core.ID

	// Generation counts what was stored under the name, from 1. It is the store's own.
	Generation uint64
	// Damaged says that another generation is stored too and cannot be read: this one may be the last but one.
	// It isn't stored.
	Damaged bool
}

// NewCheckpoint returns one of that name, bound to log and r, with the place to begin at where none is stored yet.
func NewCheckpoint(name string, log LogID, r region.Region, place uint64) Checkpoint {
	return Checkpoint{Name: name, Log: log, Region: r.String(), RegionHash: r.Hash(), Place: place}
}

// Bound returns nil, or a *MismatchError if c is bound to something else than want is. Stores and readers call it.
func (c *Checkpoint) Bound(want *Checkpoint) error {
	for _, b := range []struct {
		what      string
		want, got string
	}{
		{"name", want.Name, c.Name},
		{"log", want.Log.String(), c.Log.String()},
		{"region", want.Region, c.Region},
		{"region hash", fmt.Sprintf("%016x", want.RegionHash), fmt.Sprintf("%016x", c.RegionHash)},
		{"part", want.Part.String(), c.Part.String()},
	} {
		if b.want != b.got {
			return &MismatchError{Name: want.Name, What: b.what, Want: b.want, Got: b.got}
		}
	}
	return nil
}

// Claimed returns what a store stores, and answers, for a Claim of want, c being what is stored. It fails as Claim does.
func (c *Checkpoint) Claimed(want *Checkpoint) (Checkpoint, error) {
	if err := c.Bound(want); err != nil {
		return Checkpoint{}, err
	}
	next := *c
	next.Epoch++
	return next, nil
}

// Saved returns nil if want may be stored in place of c. It fails as Save does.
func (c *Checkpoint) Saved(want *Checkpoint) error {
	if err := c.Bound(want); err != nil {
		return err
	}
	if c.Epoch != want.Epoch {
		return &FencedError{Name: c.Name, Epoch: want.Epoch, Owner: c.Epoch}
	}
	return nil
}

// Checkpoints stores Checkpoints under their names. Any name will do that is not empty and not over 80 bytes. Its methods
// may be called by any number of goroutines at once, and of several processes where they can share the store. What was
// answered with nil is durable. After an error that is none of those named here, or a context's that ended later than
// the call began, the write was made wholly or not at all; the same call may be made again, and whoever must know asks Load.
type Checkpoints interface {
	// Load returns the Checkpoint of that name: ErrNoCheckpoint where none is stored, *CorruptCheckpointError where there
	// is one that cannot be read. It makes nobody an owner. The answer is the caller's.
	Load(ctx context.Context, name string) (Checkpoint, error)

	// Claim makes the caller the owner of c.Name and returns what is stored, under an Epoch above that of every owner
	// before. Where none is stored, it stores c. It fails as Load does otherwise, and with a *MismatchError where
	// what is stored is bound to something else; then nothing is changed, and the owner is who it was.
	Claim(ctx context.Context, c Checkpoint) (Checkpoint, error)

	// Save stores c in place of what is there. It fails with a *FencedError if c.Epoch is not the last that Claim
	// returned, with a *MismatchError as Claim does, and with ErrNoCheckpoint where nothing was claimed; then
	// nothing is changed. c.Generation is not looked at. It keeps nothing of c.State.
	Save(ctx context.Context, c Checkpoint) error
}

const longestName = 80 // so that a file's name has room for it, escaped

// CheckName returns nil, or ErrCheckpointName for a name that no store takes.
func CheckName(name string) error {
	if name == "" || len(name) > longestName {
		return fmt.Errorf("%w: it has %d bytes", ErrCheckpointName, len(name))
	}
	return nil
}
