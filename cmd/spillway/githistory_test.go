package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// gitHistory decodes lines of "repo commit parent,parent op path" by a new decoder.
func gitHistory(t *testing.T, lines ...string) []*core.Envelope {
	t.Helper()
	d := newGitDecoder()
	hex := func(n string) string { return fmt.Sprintf("%032s", n) }
	var events []*core.Envelope
	for _, line := range lines {
		f := strings.Split(line, " ")
		parents := []string{}
		if f[2] != "-" {
			for p := range strings.SplitSeq(f[2], ",") {
				parents = append(parents, hex(p))
			}
		}
		time := uint64(1000 + len(events))
		l := gitLine{Time: &time, Repo: f[0], Commit: hex(f[1]), Parents: parents, Op: f[3]}
		if len(f) > 4 {
			l.Path = f[4]
		}
		e, err := d.event(&l)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// A commit is on its first parent's lane if it is the first child; its depth is over all parents; it is
// caused by its first parent's last event.
func TestGitGraph(t *testing.T) {
	events := gitHistory(t,
		"r 1 - A a",       // 0: a root
		"r 1 - A b",       // 1: the same commit
		"r 2 1 M a",       // 2: its first child
		"r 3 1 M b",       // 3: a second child: a lane of its own
		"r 4 3 M b",       // 4
		"r 5 2,4 merge",   // 5: on with the lane of 2
		"r 6 4,5 merge",   // 6: the first child of 4 by first parents
		"q 1 - A a",       // 7: another repository, the same hash
		"r 7 99 empty",    // 8: a parent from before the input
		"r 8 99,6 empty",  // 9: the first unknown, the second known
		"r 9 5 D dir/x:y", // 10
		"r a 9 T dir/x:y", // 11
	)
	for i, want := range []struct {
		lane, depth uint32
		cause       int // the event's number, or -1
		kind        string
		entity      string
	}{
		{0, 0, -1, "0x1:0x001", "a"},
		{0, 0, -1, "0x1:0x001", "b"},
		{0, 1, 1, "0x1:0x002", "a"},
		{1, 1, 1, "0x1:0x002", "b"},
		{1, 2, 3, "0x1:0x002", "b"},
		{0, 3, 2, "0x2:0x001", "r"},
		{1, 4, 4, "0x2:0x001", "r"},
		{2, 0, -1, "0x1:0x001", "a"},
		{3, 0, -1, "0x2:0x002", "r"},
		{4, 5, -1, "0x2:0x002", "r"},
		{0, 4, 5, "0x1:0x003", "dir:x%3Ay"},
		{0, 5, 10, "0x1:0x004", "dir:x%3Ay"},
	} {
		e := events[i]
		var cause core.ID
		if want.cause >= 0 {
			cause = events[want.cause].EventID
		}
		if e.Position.Lane != want.lane || e.Position.Depth != want.depth || e.CausationID != cause ||
			e.Kind.String() != want.kind || e.Coordinate.Entity() != want.entity {
			t.Errorf("event %d: lane %d, depth %d, cause %s, kind %s, entity %s; want %+v",
				i, e.Position.Lane, e.Position.Depth, e.CausationID, e.Kind, e.Coordinate.Entity(), want)
		}
	}
	if events[0].CorrelationID != events[1].CorrelationID || events[0].CorrelationID == events[2].CorrelationID {
		t.Error("events of one commit, and they alone, share a correlation")
	}
	if events[0].Time != 1000 || events[0].Position.WallMS != 1000 {
		t.Errorf("time %d, wall %d", events[0].Time, events[0].Position.WallMS)
	}
}

// A name that a Coordinate refuses is escaped, and says afterwards what it was.
func TestGitNamesAreEscaped(t *testing.T) {
	for path, entity := range map[string]string{
		"a=b/c|d":   "a%3Db:c%7Cd",
		"x..y/z":    "x%2E%2Ey:z",
		"50%":       "50%25",
		"p:q/r":     "p%3Aq:r",
		"caf\xe9":   "caf%E9",
		"tab\there": "tab%09here",
	} {
		events := gitHistory(t, "own/er@host 1 - A "+path)
		if got := events[0].Coordinate; got.Entity() != entity || got.Scope() != "own%2Fer%40host" {
			t.Errorf("%q: got %s, want %s", path, got, entity)
		}
	}
}

func TestGitLinesRefused(t *testing.T) {
	const commit = `"commit":"00000000000000000000000000000001"`
	for line, want := range map[string]string{
		`{"repo":"r",` + commit + `,"parents":[],"op":"A","path":"a"}`:                                          `"time" is missing`,
		`{"time":1,` + commit + `,"parents":[],"op":"A","path":"a"}`:                                            `"repo" is missing`,
		`{"time":1,"repo":"r","parents":[],"op":"A","path":"a"}`:                                                `"commit" is missing`,
		`{"time":1,"repo":"r",` + commit + `,"op":"A","path":"a"}`:                                              `"parents" is missing`,
		`{"time":1,"repo":"r",` + commit + `,"parents":[],"path":"a"}`:                                          `"op" is missing`,
		`{"time":1,"repo":"r",` + commit + `,"parents":[],"op":"A"}`:                                            `"path" is missing`,
		`{"time":1,"repo":"r",` + commit + `,"parents":[],"op":"R","path":"a"}`:                                 `op "R" is none of`,
		`{"time":1,"repo":"r",` + commit + `,"parents":["x"],"op":"A","path":"a"}`:                              `"x" is not a commit`,
		`{"time":-1,"repo":"r",` + commit + `,"parents":[],"op":"A","path":"a"}`:                                `"time" can't be a JSON number -1`,
		`{"time":1,"repo":"r",` + commit + `,"parents":[],"op":"A","path":"` + strings.Repeat("a/", 64) + `b"}`: `segments`,
		`[]`: `not a JSON object`,
	} {
		if _, err := decode(newGitDecoder(), []byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}
