package cursor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// ErrSnapshot says that what was saved can't be gone on from. The error is a *SnapshotError.
var ErrSnapshot = errors.New("spillway/cursor: the snapshot can't be used")

// A SnapshotError says what is wrong with what was saved. errors.Is(err, ErrSnapshot) holds for it.
type SnapshotError struct {
	What      string // "bytes" where they are not those of a snapshot, or damaged; "log", "region" or "event" where it is of another
	Want, Got string // but for bytes: what was asked for, or what the Log has, and what it is of
}

func (e *SnapshotError) Error() string {
	if e.What == "bytes" {
		return fmt.Sprintf("%v: its bytes are damaged, or of something else", ErrSnapshot)
	}
	if e.What == lastEvent {
		return fmt.Sprintf("%v: it comes after event %s; the log has %s there: it lost its end, and grew again", ErrSnapshot, e.Got, e.Want)
	}
	return fmt.Sprintf("%v: its %s is %s; %s was asked for", ErrSnapshot, e.What, e.Got, e.Want)
}

// Unwrap returns ErrSnapshot.
func (e *SnapshotError) Unwrap() error { return ErrSnapshot }

// A Snapshot is what the events of a Follower come to: a state that all of them below Place, and no others, are folded into.
// It goes on with each event, can be saved at any place, and gone on from there later: FollowOptions.From is then what
// OpenSnapshot returns.
//
// It is one goroutine's, and is alone with its Follower.
type Snapshot[S any] struct {
	follower *Follower
	state    S
	fold     func(S, core.Envelope) (S, error)
	place    uint64
	known    bool  // place is
	last     *last // an event below place, the one before it where the Log could say it; nil where none is known
	err      error // of fold
}

// NewSnapshot returns a Snapshot that begins with a state, where the Follower begins. fold returns what a state and an event
// come to. Its error ends the Snapshot before that event, and fold is not called again.
func NewSnapshot[S any](f *Follower, state S, fold func(S, core.Envelope) (S, error)) *Snapshot[S] {
	s := &Snapshot[S]{follower: f, state: state, fold: fold}
	s.place, s.known = f.place()
	s.last = f.options.From.last
	return s
}

var errFoldUnwound = errors.New("spillway/cursor: fold has not returned: the state lacks an event")

// Next folds the next event and returns it, or a Mark; it waits as Follower.Next does, and returns its errors.
func (s *Snapshot[S]) Next(ctx context.Context) (Item, error) {
	if s.err != nil {
		return Item{}, s.err
	}
	i, err := s.follower.Next(ctx)
	if err != nil {
		return i, err
	}
	if !i.IsMark() {
		s.place, s.known, s.err = i.Sequence, true, errFoldUnwound // it may panic, and its caller go on
		state, err := s.fold(s.state, i.Envelope)
		if err != nil {
			s.err = fmt.Errorf("spillway/cursor: fold event %d: %w", i.Sequence, err)
			return Item{}, s.err
		}
		s.state, s.err = state, nil
		s.last = newLast(i.Sequence, i.EventID, otherEvent)
	}
	s.place, s.known = s.follower.place()
	if i.IsMark() && s.known {
		s.noteLast(ctx)
	}
	return i, nil
}

// noteLast notes the event before a place that a Mark has moved over others' events, whose loss has to be seen, too.
func (s *Snapshot[S]) noteLast(ctx context.Context) {
	if s.last != nil && s.last.sequence+1 == s.place {
		return
	}
	if sequence, id, ok := before(ctx, s.follower.log, s.place); ok && s.follower.replaced() == nil {
		s.last = newLast(sequence, id, otherEvent)
	}
}

// CatchUp folds all that the Log holds, up to the next CaughtUp. That comes once, and again when the Follower has fallen behind: a second
// CatchUp waits for it.
func (s *Snapshot[S]) CatchUp(ctx context.Context) error {
	for {
		if i, err := s.Next(ctx); err != nil || i.Mark.Kind == CaughtUp {
			return err
		}
	}
}

// State returns the state of all events below Place. It is the Snapshot's: fold may go on from it.
func (s *Snapshot[S]) State() S { return s.state }

// Place returns the sequence below which all events of the Region are folded in.
func (s *Snapshot[S]) Place() uint64 { return s.place }

// What is saved: magic, the Log's ID, Place (8 bytes, big-endian), the sequence (8) and ID (16) of an event before it, the length of the Region's
// text (4) and the text, the state, and over all of it a CRC-32C (4). The first version had no such event.
var (
	snapshotMagic = []byte("spsnap\x00\x02")
	snapshotFirst = []byte("spsnap\x00\x01")
	castagnoli    = crc32.MakeTable(crc32.Castagnoli)
)

func otherEvent(want, got string) error {
	return &SnapshotError{What: lastEvent, Want: want, Got: got}
}

// Save returns what to go on from later: the state, as marshal puts it, bound to the place, the Log and the Region. Of a Follower
// that begins FromStart or FromEnd there is none before the first call of Next.
func (s *Snapshot[S]) Save(marshal func(S) ([]byte, error)) ([]byte, error) {
	if !s.known {
		return nil, errors.New("spillway/cursor: save a snapshot: its place is not known before it has caught up, or folded an event")
	}
	if late, ok := errors.AsType[*DisorderError](s.follower.Err()); ok && late.Sequence < s.place {
		return nil, fmt.Errorf("spillway/cursor: save a snapshot: event %d is not in it: %w", late.Sequence, late)
	}
	state, err := marshal(s.state)
	if err != nil {
		return nil, fmt.Errorf("spillway/cursor: save a snapshot: %w", err)
	}
	text := s.follower.region.String()
	id := s.follower.id // that it has read, whatever the Log is by now
	if id == (LogID{}) {
		id = s.follower.log.ID()
	}
	b := append([]byte(nil), snapshotMagic...)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint64(b, s.place)
	var seen last
	if s.last != nil {
		seen = *s.last
	}
	b = binary.BigEndian.AppendUint64(b, seen.sequence)
	b = append(b, seen.id[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = append(b, text...)
	b = append(b, state...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// OpenSnapshot returns the state that was saved, as marshal put it, and where to follow on; or a *SnapshotError where it is
// not of this Log and Region, or not whole. state is a part of saved. Where the Log has lost its end and grown again, and so has another event
// before the place, the Follower ends with a *SnapshotError.
func OpenSnapshot(saved []byte, log LogID, r region.Region) (state []byte, from Start, err error) {
	damaged := &SnapshotError{What: "bytes"}
	least := len(log) + 8 + 8 + len(core.ID{}) + 4 + 4
	body, found := bytes.CutPrefix(saved, snapshotMagic)
	first := false
	if !found {
		body, first = bytes.CutPrefix(saved, snapshotFirst)
		least -= 8 + len(core.ID{})
	}
	if !found && !first || len(body) < least {
		return nil, Start{}, damaged
	}
	body, sum := body[:len(body)-4], body[len(body)-4:]
	if crc32.Checksum(saved[:len(saved)-4], castagnoli) != binary.BigEndian.Uint32(sum) {
		return nil, Start{}, damaged
	}
	id, body := LogID(body), body[len(log):]
	place, body := binary.BigEndian.Uint64(body), body[8:]
	from = From(place)
	if !first {
		from.last = newLast(binary.BigEndian.Uint64(body), core.ID(body[8:]), otherEvent)
		body = body[8+len(core.ID{}):]
	}
	n, body := binary.BigEndian.Uint32(body), body[4:]
	if uint64(n) > uint64(len(body)) {
		return nil, Start{}, damaged
	}
	text, state := string(body[:n]), body[n:]
	switch {
	case id != log:
		return nil, Start{}, &SnapshotError{What: "log", Want: log.String(), Got: id.String()}
	case text != r.String():
		return nil, Start{}, &SnapshotError{What: "region", Want: r.String(), Got: text}
	}
	return state, from, nil
}
