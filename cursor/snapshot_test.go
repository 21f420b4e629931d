package cursor_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A tally is how many events each entity had, and the sequence of the last.
type tally map[string]uint64

func count(state tally, e core.Envelope) (tally, error) {
	if e.Sequence < state["next"] {
		return nil, errors.New("twice")
	}
	state[e.Coordinate.Entity()]++
	state["next"] = e.Sequence + 1
	return state, nil
}

func marshal(state tally) ([]byte, error) { return json.Marshal(state) }

// TestSnapshotGoesOn: saved anywhere, while it catches up or live, and gone on from, a fold comes to what it comes to in one go.
func TestSnapshotGoesOn(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		r := region.Region{Entity: "a"}
		for range 5 {
			w.add(t, "a", "b", "a:x")
		}
		ctx := context.Background()
		if saved, err := cursor.NewSnapshot(w.follow(t, r, cursor.FollowOptions{Feed: feed(2), From: cursor.FromEnd()}), tally{}, count).Save(marshal); err == nil {
			t.Errorf("saved before it is known where it begins: %q", saved)
		}
		for stop := 1; stop < 14; stop++ {
			f := w.follow(t, r, cursor.FollowOptions{Feed: feed(2)})
			s := cursor.NewSnapshot(f, tally{}, count)
			for range stop {
				if _, err := s.Next(ctx); err != nil {
					t.Fatal(err)
				}
				if f.Stats().State == cursor.Live && stop > 11 {
					w.add(t, "a", "a:x", "b", "a") // more than fits
				}
			}
			saved, err := s.Save(marshal)
			f.Cancel()
			if err != nil {
				t.Fatal(err)
			}
			text, from, err := cursor.OpenSnapshot(saved, w.log.ID(), r)
			state := tally{}
			if err != nil || json.Unmarshal(text, &state) != nil || from.String() != cursor.From(s.Place()).String() {
				t.Fatalf("%s, %s, %v; want it to go on at %d", text, from, err, s.Place())
			}
			on := cursor.NewSnapshot(w.follow(t, r, cursor.FollowOptions{Feed: feed(2), From: from}), state, count)
			if again, err := on.Save(marshal); err != nil || !bytes.Equal(again, saved) {
				t.Errorf("saved again at once: %q, %v; want %q", again, err, saved)
			}
			if err := on.CatchUp(ctx); err != nil {
				t.Fatal(err)
			}
			whole := cursor.NewSnapshot(w.follow(t, r, cursor.FollowOptions{Feed: feed(2)}), tally{}, count)
			if err := whole.CatchUp(ctx); err != nil {
				t.Fatal(err)
			}
			got, _ := marshal(on.State())
			want, _ := marshal(whole.State())
			if string(got) != string(want) || on.Place() != whole.Place() {
				t.Errorf("stopped after %d: %s at %d, want %s at %d", stop, got, on.Place(), want, whole.Place())
			}
		}
	})
}

// TestSnapshotRefuses: of another log, another region, or with any byte changed or cut off, it is not gone on from.
func TestSnapshotRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a")
		r := region.Region{Entity: "a"}
		s := cursor.NewSnapshot(w.follow(t, r, cursor.FollowOptions{Feed: byRing(1)}), tally{}, count)
		if err := s.CatchUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		saved, err := s.Save(marshal)
		if err != nil {
			t.Fatal(err)
		}
		refuse := func(saved []byte, log cursor.LogID, r region.Region, what string) {
			t.Helper()
			state, _, err := cursor.OpenSnapshot(saved, log, r)
			if e, ok := errors.AsType[*cursor.SnapshotError](err); !ok || e.What != what || state != nil || !errors.Is(err, cursor.ErrSnapshot) {
				t.Errorf("%q, %v; want it to be refused for its %s", state, err, what)
			}
		}
		refuse(saved, cursor.NewLogID(), r, "log")
		refuse(saved, w.log.ID(), region.Region{Entity: "b"}, "region")
		for i := range saved {
			refuse(saved[:i], w.log.ID(), r, "bytes")
			saved[i] ^= 0x10
			refuse(saved, w.log.ID(), r, "bytes")
			saved[i] ^= 0x10
		}
		if _, err := s.Save(func(tally) ([]byte, error) { return nil, errLeft }); !errors.Is(err, errLeft) {
			t.Errorf("what marshal says: %v", err)
		}
	})
}

// TestSnapshotFoldFails: it stays before the event that can't be folded.
func TestSnapshotFoldFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "a", "a")
		calls := 0
		s := cursor.NewSnapshot(w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: byRing(1)}), 0, func(n int, e core.Envelope) (int, error) {
			if calls++; e.Sequence == 2 {
				return 99, errLeft
			}
			return n + 1, nil
		})
		for range 2 {
			if err := s.CatchUp(context.Background()); !errors.Is(err, errLeft) || s.State() != 1 || s.Place() != 2 || calls != 2 {
				t.Errorf("%v, state %d at %d after %d calls; want 1 at 2 after 2", err, s.State(), s.Place(), calls)
			}
		}
	})
}

// resum returns b with the checksum at its end made right.
func resum(b []byte) []byte {
	body := b[:len(b)-4]
	return binary.BigEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}
