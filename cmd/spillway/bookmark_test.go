package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/checkpointfile"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

const (
	followedEvents = 6000
	rareEach       = 997 // one event of so many is of the entity rare
)

// followedLog returns the folder of a log of followedEvents.
func followedLog(t *testing.T) (dir string) {
	t.Helper()
	in, dir := filepath.Join(t.TempDir(), "in.jsonl"), filepath.Join(t.TempDir(), "log")
	var b strings.Builder
	for i := range followedEvents {
		entity := "common"
		if i%rareEach == rareEach-1 {
			entity = "rare"
		}
		fmt.Fprintf(&b, `{"entity":%q,"scope":"s","kind":"0x1:0x001","time":%d}`+"\n", entity, i)
	}
	if err := os.WriteFile(in, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, says := spillwayRun(t, "replay", "--log", dir, "--region", "entity=rare", in); code != exitOK {
		t.Fatal(says)
	}
	return dir
}

// sequences returns those of the lines of events.
func sequences(t *testing.T, lines string) []uint64 {
	t.Helper()
	var s []uint64
	for line := range strings.Lines(lines) {
		var e eventLine
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s = append(s, e.Sequence)
	}
	return s
}

// upTo returns the sequences from first up to, not including, next.
func upTo(first, next uint64) []uint64 {
	s := make([]uint64, 0, next-first)
	for ; first < next; first++ {
		s = append(s, first)
	}
	return s
}

// TestH110RestoredBackup: a folder that was put back and has grown again has other events below the place that was kept. It is said, and
// nothing is printed, and the place stays.
func TestH110RestoredBackup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	coordinate, err := region.NewCoordinate("a", "s")
	if err != nil {
		t.Fatal(err)
	}
	grow := func(to uint64) {
		t.Helper()
		log, err := disklog.Open(dir, disklog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for next := log.Stats().Next; next < to && err == nil; next++ {
			_, err = log.Append(t.Context(), []cursor.Draft{{Coordinate: coordinate, Kind: 0x1001}})
		}
		if err := closeLog(log, err); err != nil {
			t.Fatal(err)
		}
	}
	grow(10)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	grow(20)
	if code, out, says := spillwayRun(t, "follow", dir, "--name", "mailer"); code != exitOK || len(sequences(t, out)) != 20 {
		t.Fatalf("%d: %s%s", code, out, says)
	}
	checkpoints := os.DirFS(filepath.Join(dir, checkpointFolder))
	if err := os.CopyFS(filepath.Join(backup, checkpointFolder), checkpoints); err != nil {
		t.Fatal(err)
	}
	dir = backup
	if code, _, says := spillwayRun(t, "follow", dir, "--name", "mailer"); code == exitOK || !strings.Contains(says, "beyond the end") {
		t.Errorf("a log that has lost its end: %d, %s", code, says)
	}
	grow(30)
	for range 2 {
		code, out, says := spillwayRun(t, "follow", dir, "--name", "mailer")
		if code == exitOK || out != "" || !strings.Contains(says, "comes after event 19") || placeOf(t, dir, "mailer") != 20 {
			t.Errorf("and has grown again: %d, %q, %s; at %d", code, out, says, placeOf(t, dir, "mailer"))
		}
	}
}

// placeOf returns the place that is kept under a name.
func placeOf(t *testing.T, dir, name string) uint64 {
	t.Helper()
	store, err := checkpointfile.Open(filepath.Join(dir, checkpointFolder))
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return c.Place
}

// A meddler is a stdout that does something at its first write.
type meddler struct {
	strings.Builder
	first func()
}

func (m *meddler) Write(b []byte) (int, error) {
	if m.first != nil {
		m.first()
		m.first = nil
	}
	return m.Builder.Write(b)
}

// Ctrl-C leaves the place right behind what was printed: two runs together print the log, each event once.
func TestFollowInterrupted(t *testing.T) {
	dir := followedLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	var says strings.Builder
	out := &meddler{first: cancel}
	code := run(ctx, []string{"follow", dir, "--name", "a"}, stdio{in: strings.NewReader(""), out: out, err: &says})
	if code != exitInterrupted || says.String() != "spillway: interrupted\n" {
		t.Fatalf("exit %d, stderr %q", code, says.String())
	}
	first := sequences(t, out.String())
	if len(first) == 0 || len(first) == followedEvents {
		t.Fatalf("interrupted after %d events, which is not in the midst", len(first))
	}
	code, again, stderr := spillwayRun(t, "follow", dir, "--name", "a")
	if got := append(first, sequences(t, again)...); code != exitOK || !slices.Equal(got, upTo(0, followedEvents)) {
		t.Errorf("exit %d, %q: %d events, and then %d, are not those of the log", code, stderr, len(first), len(got)-len(first))
	}
}

// Who has lost the name says so, in one line, and stores no place.
func TestFollowFenced(t *testing.T) {
	dir := followedLog(t)
	out := &meddler{first: func() {
		store, err := checkpointfile.Open(filepath.Join(dir, checkpointFolder))
		if err != nil {
			t.Error(err)
			return
		}
		c, err := store.Load(t.Context(), "a")
		if err == nil {
			_, err = store.Claim(t.Context(), c)
		}
		if err != nil {
			t.Error(err)
		}
	}}
	var says strings.Builder
	code := run(t.Context(), []string{"follow", dir, "--name", "a"}, stdio{in: strings.NewReader(""), out: out, err: &says})
	if want := (&cursor.FencedError{Name: "a", Epoch: 1, Owner: 2}).Error(); code != exitFailure || !strings.HasSuffix(says.String(), want+"\n") ||
		strings.Count(says.String(), "\n") != 1 {
		t.Errorf("exit %d, stderr %q; want one line that ends with %q", code, says.String(), want)
	}
	if place := placeOf(t, dir, "a"); place != 0 {
		t.Errorf("the place is %d; want the other owner's, 0", place)
	}
}

// A limit leaves the place right behind the last event that was printed, however that lies to the saves and to what is passed over.
func TestFollowLimit(t *testing.T) {
	dir := followedLog(t)
	for _, c := range []struct {
		region string
		limit  int
		place  uint64
	}{
		{"*", 1, 1},
		{"*", savedEach - 1, savedEach - 1},
		{"*", savedEach, savedEach},
		{"*", savedEach + 1, savedEach + 1},
		{"*", 2 * savedEach, 2 * savedEach},
		{"entity=rare", 1, rareEach},
		{"entity=rare", 4, 4 * rareEach},
	} {
		name := fmt.Sprint(c.region, c.limit)
		code, out, says := spillwayRun(t, "follow", dir, "--name", name, "--region", c.region, "--limit", fmt.Sprint(c.limit))
		if got := sequences(t, out); code != exitOK || len(got) != c.limit || got[len(got)-1]+1 != c.place {
			t.Errorf("%s: exit %d, %q, %d events", name, code, says, len(got))
		}
		if got := placeOf(t, dir, name); got != c.place {
			t.Errorf("%s: the place is %d, want %d", name, got, c.place)
		}
	}
}

// Killed and started again, it prints everything in order, and what was printed before again from the last save at most.
func TestFollowKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes: not with -short")
	}
	dir := followedLog(t)
	next := uint64(0) // all below was printed
	for _, after := range []int{1, 900, 1100, 1, 2000, followedEvents + 1} {
		got := followUntil(t, dir, after)
		if len(got) == 0 {
			t.Fatalf("nothing was printed behind %d", next)
		}
		if got[0] > next || next-got[0] > savedEach || !slices.Equal(got, upTo(got[0], got[0]+uint64(len(got)))) {
			t.Fatalf("%d events are printed from %d on, in order: %v; all below %d was before", len(got), got[0], slices.IsSorted(got), next)
		}
		next = max(next, got[0]+uint64(len(got)))
	}
	if next != followedEvents {
		t.Errorf("%d events were printed, want %d", next, followedEvents)
	}
}

// followUntil has a process follow, kills it when it has printed so many lines, and returns all whole lines that it printed.
func followUntil(t *testing.T, dir string, lines int) []uint64 {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	var says bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "follow", dir, "--name", "a")
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = append(os.Environ(), telling+"=1"), []*os.File{null}, &says
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	part, killed := make([]byte, 4096), false
	for {
		n, err := pipe.Read(part)
		got = append(got, part[:n]...)
		if !killed && bytes.Count(got, []byte("\n")) >= lines {
			killed = true
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := errors.Join(cmd.Wait(), null.Close()); err != nil && !killed {
		t.Fatalf("%v: %s", err, says.String())
	}
	return sequences(t, string(got[:bytes.LastIndexByte(got, '\n')+1]))
}
