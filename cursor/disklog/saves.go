package disklog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// A saves is what the writer knows of all Checkpoints together.
//
// Each write of a row has a number, which counts those of all names, and the generations of a name count its own. So the newest generations
// of all names add up to the last number. Where they don't, a row was lost, or is as it was before: the engine says nothing when it opens
// without the end of its log, or of its list of tables.
type saves struct {
	generations uint64  // the newest of all names that can be read, added up: the number of the last write, unless one can't be
	unsure      *unsure // set by the one write that failed
}

// An unsure is what was stored under a name before a write of it failed: what is on the disk now will be known when the Log is opened.
type unsure struct {
	name   string
	stored cursor.Checkpoint
	err    error // cursor.ErrNoCheckpoint, or nil
}

func savedKey(bit byte, name string) []byte {
	return append([]byte{tableCheckpoints, bit}, name...)
}

// savedRow returns the row of a generation, which is the write of that number.
func savedRow(id [16]byte, number uint64, c *cursor.Checkpoint) (key, value []byte, err error) {
	key = savedKey(byte(c.Generation%2), c.Name)
	value, err = c.AppendBinary(binary.BigEndian.AppendUint64([]byte{block.Version}, number))
	return key, block.Seal(id, key, value), err
}

// readSaved returns what savedRow made, unsealed.
func readSaved(key, body []byte) (c cursor.Checkpoint, number uint64, err error) {
	switch {
	case len(body) < 9:
		return c, 0, block.ErrShort
	case body[0] != block.Version:
		return c, 0, fmt.Errorf("%w: %d", block.ErrVersion, body[0])
	}
	if err := c.UnmarshalBinary(body[9:]); err != nil {
		return c, 0, err
	}
	if len(key) < 2 || c.Name != string(key[2:]) || c.Generation%2 != uint64(key[1]) {
		return c, 0, fmt.Errorf("it is generation %d of %q", c.Generation, c.Name)
	}
	return c, binary.BigEndian.Uint64(body[1:]), nil
}

func isLater(err error) bool {
	return errors.Is(err, block.ErrVersion) || errors.Is(err, cursor.ErrCheckpointVersion)
}

const placeOfSaves = "the checkpoints"

var errLost = errors.New("some are missing, or as they were before")

func placeOfSaved(key []byte) string {
	if len(key) < 2 {
		return placeOfSaves
	}
	return fmt.Sprintf("checkpoint %q, the generations whose last bit is %d", key[2:], key[1])
}

// A census is what a look at all rows of Checkpoints finds.
type census struct {
	rows   map[string]int    // of each name
	newest map[string]uint64 // generation that can be read
	last   uint64            // the highest number of a write
	bad    error             // a *CorruptError: the first that is wrong with a row
}

// census looks at all rows. Its error is none of theirs: it may be that they are well.
func (l *Log) census() (c census, err error) {
	c.rows, c.newest = make(map[string]int), make(map[string]uint64)
	blame := func(place string, err error) {
		if c.bad == nil {
			c.bad = l.corrupt(place, err)
		}
	}
	err = guarded(func() error {
		return l.rows([]byte{tableCheckpoints}, []byte{tableCheckpoints + 1}, func(key, value []byte) error {
			name := string(key[min(2, len(key)):])
			c.rows[name]++
			body, _, err := block.Unseal(l.id, key, value)
			var stored cursor.Checkpoint
			var number uint64
			if err == nil {
				stored, number, err = readSaved(key, body)
			}
			if err != nil {
				blame(placeOfSaved(key), err)
				return nil
			}
			c.newest[name] = max(c.newest[name], stored.Generation)
			c.last = max(c.last, number)
			return nil
		})
	})
	if err = l.damaged(placeOfSaves, err); errors.Is(err, cursor.ErrCorrupt) {
		if c.bad == nil {
			c.bad = err
		}
		err = nil
	}
	for name, n := range c.rows {
		if n < 2 {
			blame(fmt.Sprintf("checkpoint %q", name), fmt.Errorf("a generation: %w", errMissing))
		}
	}
	return c, err
}

func (c *census) generations() (sum uint64) {
	for _, g := range c.newest {
		sum += g
	}
	return sum
}

// lost returns why not all is there that was written: acknowledged is the number of a write that was.
func (l *Log) lost(c *census, acknowledged uint64) error {
	switch sum := c.generations(); {
	case c.last < acknowledged:
		return l.corrupt(placeOfSaves, fmt.Errorf("%w: write %d was acknowledged; the last that is there is %d", errLost, acknowledged, c.last))
	case c.last != sum:
		return l.corrupt(placeOfSaves, fmt.Errorf("%w: there were %d writes, and there are %d generations", errLost, c.last, sum))
	}
	return nil
}

// restoreSaves has the Log know what Checkpoints there are, and compares them with what the anchor says was acknowledged. A row that can't be
// read is no reason not to open: who asks for it is told, and as long as there is one, nothing can be said about the rest.
func (l *Log) restoreSaves() error {
	c, err := l.census()
	if err == nil && c.bad == nil {
		err = l.lost(&c, l.anchor.saves)
	}
	if err != nil {
		return err
	}
	l.w.saves.generations = c.generations()
	l.anchor.saves = max(c.last, l.anchor.saves)
	return nil
}

// recount has the writer know what can be read, where it is less than it was, and returns the newest generation of a name.
func (l *Log) recount(name string) (newest uint64, err error) {
	c, err := l.census()
	if err == nil {
		l.w.saves.generations = c.generations()
	}
	return c.newest[name], err
}

// verifySaves returns what is wrong with the Checkpoints. The turn is taken.
func (l *Log) verifySaves() error {
	c, err := l.census()
	if err == nil {
		err = c.bad
	}
	if err == nil {
		err = l.lost(&c, l.anchor.saves)
	}
	for name := range c.rows { // as Load finds them: by the engine's filters, too
		for bit := range byte(2) {
			if err == nil {
				key := savedKey(bit, name)
				err = l.needed(placeOfSaved(key), l.row(key, placeOfSaved(key), func([]byte) error { return nil }))
			}
		}
	}
	return err
}
