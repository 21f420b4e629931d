package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// spillwayRun runs a command, and returns its exit code and what it said.
func spillwayRun(t *testing.T, args ...string) (code int, out, says string) {
	t.Helper()
	var o, e strings.Builder
	code = run(t.Context(), args, stdio{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

// madeLog returns the folder of a log of a few events, and the input that it was made of.
func madeLog(t *testing.T) (dir, in string) {
	t.Helper()
	in, dir = filepath.Join(t.TempDir(), "in.jsonl"), filepath.Join(t.TempDir(), "log")
	line := `{"entity":"a","scope":"s","kind":"0x1:0x001"}` + "\n"
	if err := os.WriteFile(in, []byte(strings.Repeat(line, 100)), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, says := spillwayRun(t, "replay", "--log", dir, in); code != exitOK {
		t.Fatal(says)
	}
	return dir, in
}

// A log that somebody has open is said to be, whatever is asked of it.
func TestLogThatIsOpen(t *testing.T) {
	dir, in := madeLog(t)
	log, err := disklog.Open(dir, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"log", "stat", dir},
		{"log", "verify", dir},
		{"log", "dump", dir},
		{"log", "compact", "--keep", "1", dir},
		{"follow", dir},
		{"replay", "--log", dir, "--resume", "--region", "*", in},
	} {
		if code, out, says := spillwayRun(t, args...); code != exitFailure || out != "" || !strings.Contains(says, dir+": somebody has the log open") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, says)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// A log that is damaged is said to be, with the place.
func TestLogThatIsDamaged(t *testing.T) {
	dir, in := madeLog(t)
	anchor := filepath.Join(dir, "anchor")
	bytes, err := os.ReadFile(anchor)
	if err != nil {
		t.Fatal(err)
	}
	bytes[20] ^= 1 // of the identity
	if err := os.WriteFile(anchor, bytes, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"log", "verify", dir}, {"log", "stat", dir}, {"log", "dump", dir}, {"replay", "--log", dir, "--resume", "--region", "*", in}} {
		if code, out, says := spillwayRun(t, args...); code != exitFailure || out != "" || !strings.Contains(says, anchor+": the anchor") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, says)
		}
	}
}

// The real history, through a log that nobody waits for: all who read end with everything, and the log is the input.
func TestReplayOfRealEventsThroughLog(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data", "git-events.jsonl.gz")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("real events are not beside this checkout: %v", err)
	}
	if testing.Short() {
		t.Skip("replays 209,996 events: not with -short")
	}
	dir := filepath.Join(t.TempDir(), "log")
	code, out, says := spillwayRun(t, "replay", "--log", dir, data, "--json", "--pace=none", "--adapter=mixed", "--subscribers=40", "--stuck=4", "--capacity=64")
	var got report
	if err := json.Unmarshal([]byte(out), &got); code != exitOK || err != nil || got.Log == nil {
		t.Fatalf("exit %d, %v: %s", code, err, says)
	}
	const hash = "129859a6f3255220"
	if !got.Conserved || got.Events != 209_996 || got.Log.Missed != 0 || got.Log.Hash != hash || got.Log.InputHash != hash {
		t.Errorf("conserved %v, %d events; the log: %+v", got.Conserved, got.Events, got.Log)
	}
	whole := 0
	for _, s := range got.Subscriptions {
		if s.Received == s.Matched && s.Received > 0 {
			whole++
		}
	}
	if whole != 36 {
		t.Errorf("%d of %d have everything, want all but 4", whole, len(got.Subscriptions))
	}
	code, out, says = spillwayRun(t, "log", "verify", "--json", dir)
	var v verification
	if err := json.Unmarshal([]byte(out), &v); code != exitOK || err != nil || v.Events != 209_996 || v.Hash != hash {
		t.Errorf("exit %d, %+v, %v: %s", code, v, err, says)
	}
}

// A replay that is interrupted before it has read its input begins no log, and says no more of one that is there.
func TestInterruptedBeforeTheLog(t *testing.T) {
	dir, in := madeLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fresh := filepath.Join(t.TempDir(), "new")
	for _, at := range []string{dir, fresh} {
		var out, says strings.Builder
		code := run(ctx, []string{"replay", "--log", at, "--resume", in}, stdio{in: strings.NewReader(""), out: &out, err: &says})
		if code != exitInterrupted || out.String() != "" || says.String() != "spillway: interrupted\n" {
			t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), says.String())
		}
	}
	if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v, want it not to be there", fresh, err)
	}
}

// A log that was not closed by whoever wrote it without syncing each append may have lost its end: that is said, as often as it is asked, until
// somebody opens it to write.
func TestLogMayLackItsEnd(t *testing.T) {
	dir := t.TempDir()
	log, err := disklog.Open(dir, disklog.Options{Sync: cursor.NoSync()})
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "left") // as it is when the process is killed now
	if err := errors.Join(os.CopyFS(left, os.DirFS(dir)), log.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir string
		may bool
	}{{left, true}, {left, true}, {dir, false}} {
		for _, command := range []string{"stat", "verify"} {
			code, out, _ := spillwayRun(t, "log", command, c.dir)
			if code != exitOK || strings.Contains(out, mayLack+"\n") != c.may {
				t.Errorf("%s: exit %d, %q; it may lack its end: %t", command, code, out, c.may)
			}
			code, out, _ = spillwayRun(t, "log", command, "--json", c.dir)
			if code != exitOK || !strings.Contains(out, fmt.Sprintf(`"may_lack_end":%t`, c.may)) {
				t.Errorf("%s --json: exit %d, %q; it may lack its end: %t", command, code, out, c.may)
			}
		}
	}
	if code, _, says := spillwayRun(t, "log", "compact", "--keep", "1", left); code != exitOK || !strings.Contains(says, mayLack) {
		t.Errorf("compact, which is the last to hear that the end may be missing: exit %d, %s", code, says)
	}
	if _, out, _ := spillwayRun(t, "log", "stat", left); strings.Contains(out, mayLack) {
		t.Errorf("somebody has opened it to write, and it says %q", out)
	}
}

// What is of age is found by the log's own clock.
func TestFirstSince(t *testing.T) {
	dir, _ := madeLog(t)
	log, err := openLog(dir, disklog.Options{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	at := make([]time.Time, 100)
	for i := range at {
		e, err := eventAt(t.Context(), log, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		at[i] = time.UnixMilli(int64(e.Position.WallMS))
	}
	for _, since := range []time.Time{{}, at[0], at[50], at[99], at[99].Add(time.Millisecond)} {
		want := uint64(10)
		for want < 100 && at[want].Before(since) {
			want++
		}
		if got, err := firstSince(t.Context(), log, 10, 100, since); err != nil || got != want {
			t.Errorf("since %v: got %d, %v; want %d", since, got, err, want)
		}
	}
	if _, err := firstSince(t.Context(), log, 10, 102, at[99].Add(time.Millisecond)); err == nil {
		t.Error("an event that isn't there has no time")
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}
