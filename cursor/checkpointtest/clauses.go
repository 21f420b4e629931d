package checkpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// The clauses' names.
const (
	none     = "none is said"
	claims   = "a claim stores and answers"
	saves    = "what is saved is there"
	rises    = "each claim has a higher epoch"
	fences   = "who was the owner is fenced"
	binds    = "bound is bound"
	names    = "names are apart"
	copies   = "nothing is shared"
	contexts = "a context that is over does nothing"
	many     = "many at once"
	others   = "others see it"
	corrupt  = "damage is said"
)

var sound = []string{none, claims, saves}

// clauses are in order: each after those that it needs.
var clauses = []clause{
	{none, nil, checkNone},
	{claims, nil, checkClaims},
	{saves, []string{claims}, checkSaves},
	{rises, sound, checkRises},
	{fences, append(sound, rises), checkFences},
	{binds, sound, checkBinds},
	{names, sound, checkNames},
	{copies, sound, checkCopies},
	{contexts, sound, checkContexts},
	{many, append(sound, rises, fences), checkMany},
	{others, append(sound, rises, fences), checkOthers},
	{corrupt, sound, checkCorrupt},
}

// checkNone: a name that nobody has claimed is not a Checkpoint at 0, and is saved by nobody.
func checkNone(t *trial) error {
	if err := t.none("nobody"); err != nil {
		return err
	}
	c := fresh("nobody")
	for _, c.Epoch = range []uint64{0, 1} {
		if err := t.Checkpoints.Save(t.ctx, c); !errors.Is(err, cursor.ErrNoCheckpoint) {
			return fmt.Errorf("saving what nobody claimed: %w", orNil(err))
		}
	}
	return t.none("nobody")
}

// checkClaims: the first claim stores what it is given.
func checkClaims(t *trial) error {
	want := fresh("worker")
	want.Epoch, want.Generation = 99, 99 // the store's own
	want.State, want.Attempts, want.Written = []byte("state"), 3, 5
	want.LastSequence, want.LastID = 6, core.ID{6}
	got, err := t.Checkpoints.Claim(t.ctx, want)
	if err != nil {
		return fmt.Errorf("the first claim: %w", err)
	}
	want.Epoch = 1
	if err := same(got, want); err != nil {
		return err
	}
	return t.holds(want)
}

// checkSaves: all of it, whatever it is.
func checkSaves(t *trial) error {
	c, err := t.claim("worker")
	if err != nil {
		return err
	}
	for i, place := range []uint64{7, 8, 0, math.MaxUint64, 9} {
		c.Place = place
		c.Attempts = []uint32{0, 1, math.MaxUint32, 0, 5}[i]
		c.State = [][]byte{nil, {0}, bytes.Repeat([]byte{0xff}, 1<<16), {}, []byte("fold")}[i]
		c.Written = []uint64{0, 1, math.MaxUint64, 2, 3}[i]
		c.LastSequence = []uint64{6, 0, 0, math.MaxUint64 - 1, 8}[i]
		c.LastID = []core.ID{{1}, {15: 1}, {}, {0xff, 15: 0xff}, {2}}[i]
		if err := t.save(c); err != nil {
			return err
		}
		if err := t.holds(c); err != nil {
			return err
		}
	}
	return nil
}

// checkRises: what is stored is claimed, not what the caller would begin with.
func checkRises(t *trial) error {
	c, err := t.claim("worker")
	if err != nil {
		return err
	}
	c.Place, c.Attempts, c.State, c.Written = 44, 2, []byte("fold"), 6
	c.LastSequence, c.LastID = 43, core.ID{43}
	if err := t.save(c); err != nil {
		return err
	}
	for range 3 {
		c.Epoch++
		got, err := t.claim("worker")
		if err != nil {
			return err
		}
		if err := same(got, c); err != nil {
			return err
		}
		if err := t.holds(c); err != nil {
			return err
		}
	}
	return t.save(c)
}

// checkFences: the last claim's epoch saves, and no other.
func checkFences(t *trial) error {
	older, err := t.claim("worker")
	if err != nil {
		return err
	}
	newer, err := t.claim("worker")
	if err != nil {
		return err
	}
	for _, epoch := range []uint64{older.Epoch, 0, newer.Epoch + 1, math.MaxUint64} {
		c := older
		c.Epoch, c.Place = epoch, 1000
		if err := fenced(t.Checkpoints.Save(t.ctx, c), "worker", epoch, newer.Epoch); err != nil {
			return err
		}
		if err := t.holds(newer); err != nil {
			return err
		}
	}
	newer.Place++
	return t.save(newer)
}

// checkBinds: another log, region or part changes nothing, and is said.
func checkBinds(t *trial) error {
	owner, err := t.claim("worker")
	if err != nil {
		return err
	}
	other := cursor.LogID{9}
	wide := fresh("worker")
	wide.Region = (region.Region{}).String() // under the hash of the other: a hash alone binds nothing
	hashed := fresh("worker")
	hashed.RegionHash++
	part := fresh("worker")
	part.Part = cursor.Partition(1, 3)
	for _, c := range []struct {
		change cursor.Checkpoint
		want   cursor.MismatchError
	}{
		{cursor.NewCheckpoint("worker", other, alice, 7), cursor.MismatchError{What: "log", Want: other.String(), Got: log.String()}},
		{wide, cursor.MismatchError{What: "region", Want: "*", Got: alice.String()}},
		{hashed, cursor.MismatchError{
			What: "region hash", Want: fmt.Sprintf("%016x", alice.Hash()+1), Got: fmt.Sprintf("%016x", alice.Hash()),
		}},
		{part, cursor.MismatchError{What: "part", Want: "1 of 3", Got: "the whole"}},
	} {
		c.want.Name, c.change.Epoch = "worker", owner.Epoch
		if _, err := t.Checkpoints.Claim(t.ctx, c.change); mismatched(err, c.want) != nil {
			return fmt.Errorf("claiming: %w", mismatched(err, c.want))
		}
		if err := mismatched(t.Checkpoints.Save(t.ctx, c.change), c.want); err != nil {
			return fmt.Errorf("saving: %w", err)
		}
		if err := t.holds(owner); err != nil {
			return err
		}
	}
	owner.Place++
	return t.save(owner)
}

// oddNames are some that a file, a key or a subject would not like.
var oddNames = []string{
	"a", "A", "a.0", "a.1", "a.0.0", "a/b", "a%2Fb", "../a", "..", ".", "/etc/passwd", " ", "a b", "a\x00b", "a\nb", "*", ">", "a:b", "ä", "\xff",
	"%", "a.lock", "a.tmp", strings.Repeat("x", 80), strings.Repeat("/", 80),
}

// checkNames: each name is a Checkpoint of its own; what is none is refused.
func checkNames(t *trial) error {
	for i, name := range oddNames {
		c, err := t.claim(name)
		if err != nil {
			return err
		}
		c.Place = uint64(i)
		if err := t.save(c); err != nil {
			return err
		}
	}
	for i, name := range oddNames {
		want := fresh(name)
		want.Epoch, want.Place = 1, uint64(i)
		if err := t.holds(want); err != nil {
			return err
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 81)} {
		c := fresh(name)
		_, loaded := t.Checkpoints.Load(t.ctx, name)
		_, claimed := t.Checkpoints.Claim(t.ctx, c)
		for _, err := range []error{loaded, claimed, t.Checkpoints.Save(t.ctx, c)} {
			if !errors.Is(err, cursor.ErrCheckpointName) {
				return fmt.Errorf("a name of %d bytes: %w; want ErrCheckpointName", len(name), orNil(err))
			}
		}
	}
	return nil
}

// checkCopies: what a caller does to its State changes nothing that is stored, nor what others were given.
func checkCopies(t *trial) error {
	begin := fresh("worker")
	begin.State = []byte("one")
	c, err := t.Checkpoints.Claim(t.ctx, begin)
	if err != nil {
		return err
	}
	begin.State[0] = 'X'
	want := c
	want.State = []byte("one")
	if err := t.holds(want); err != nil {
		return err
	}
	c.State = []byte("two")
	if err := t.save(c); err != nil {
		return err
	}
	c.State[0] = 'X'
	want.State = []byte("two")
	if err := t.holds(want); err != nil {
		return err
	}
	got, err := t.Checkpoints.Load(t.ctx, "worker")
	if err != nil {
		return err
	}
	got.State[0] = 'X'
	if err := t.holds(want); err != nil {
		return err
	}
	claimed, err := t.claim("worker")
	if err != nil {
		return err
	}
	claimed.State[0] = 'X'
	want.Epoch = claimed.Epoch
	return t.holds(want)
}

var errOver = errors.New("the caller has left")

// checkContexts: nothing is done, and the cause is said.
func checkContexts(t *trial) error {
	owner, err := t.claim("worker")
	if err != nil {
		return err
	}
	over, cancel := context.WithCancelCause(t.ctx)
	cancel(errOver)
	later := owner
	later.Place++
	_, loaded := t.Checkpoints.Load(over, "worker")
	_, claimed := t.Checkpoints.Claim(over, later)
	for _, err := range []error{loaded, claimed, t.Checkpoints.Save(over, later)} {
		if !errors.Is(err, errOver) {
			return fmt.Errorf("got %w; want the context's cause", orNil(err))
		}
	}
	return t.holds(owner)
}

// checkMany: of those who claim at once each has an epoch of its own, and once all have, the last one saves alone.
func checkMany(t *trial) error {
	const claimants = 8
	var (
		wg      sync.WaitGroup
		claimed [claimants]cursor.Checkpoint
		errs    [claimants]error
	)
	for i := range claimants {
		wg.Go(func() {
			if claimed[i], errs[i] = t.claim("worker"); errs[i] != nil {
				return
			}
			claimed[i].Place = 100 + claimed[i].Epoch
			if err := t.Checkpoints.Save(t.ctx, claimed[i]); err != nil && !errors.Is(err, cursor.ErrFenced) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	seen := make(map[uint64]bool)
	var last cursor.Checkpoint
	for _, c := range claimed {
		if seen[c.Epoch] {
			return fmt.Errorf("two claims have epoch %d", c.Epoch)
		}
		seen[c.Epoch] = true
		if c.Epoch > last.Epoch {
			last = c
		}
	}
	if last.Epoch != claimants {
		return fmt.Errorf("%d claims end at epoch %d", claimants, last.Epoch)
	}
	return t.holds(last) // whose save cannot have been fenced
}

// checkOthers: what another process sees is what there is, and it fences as anybody does.
func checkOthers(t *trial) error {
	if t.Reopen == nil {
		return nil
	}
	older, err := t.claim("worker")
	if err != nil {
		return err
	}
	older.Place, older.State = 31, []byte("fold")
	if err := t.save(older); err != nil {
		return err
	}
	other, err := t.Reopen()
	if err != nil {
		return fmt.Errorf("reopening: %w", err)
	}
	if err := t.heldBy(other, older); err != nil {
		return err
	}
	newer, err := other.Claim(t.ctx, fresh("worker"))
	if err != nil {
		return err
	}
	if err := fenced(t.Checkpoints.Save(t.ctx, older), "worker", older.Epoch, newer.Epoch); err != nil {
		return err
	}
	return t.holds(newer)
}

// checkCorrupt: what can't be read is neither none, nor claimed as if it were, nor saved over.
func checkCorrupt(t *trial) error {
	if t.Damage == nil {
		return nil
	}
	c, err := t.claim("worker")
	if err != nil {
		return err
	}
	if err := t.Damage("worker"); err != nil {
		return fmt.Errorf("Subject.Damage: %w", err)
	}
	for range 2 {
		_, loaded := t.Checkpoints.Load(t.ctx, "worker")
		_, claimed := t.Checkpoints.Claim(t.ctx, fresh("worker"))
		for _, err := range []error{loaded, claimed, t.Checkpoints.Save(t.ctx, c)} {
			if got, ok := errors.AsType[*cursor.CorruptCheckpointError](err); !ok || got.Name != "worker" {
				return fmt.Errorf("got %w; want a CorruptCheckpointError of it", orNil(err))
			}
		}
	}
	return t.none("other")
}
