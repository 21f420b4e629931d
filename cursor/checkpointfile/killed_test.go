package checkpointfile_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// killedFolder has the test binary, started again, run a Worker in a folder.
const killedFolder = "SPILLWAY_KILLED_WORKER"

// A killing is a folder in which Workers are killed, and what its policy is.
type killing struct {
	dir          string
	every, batch int // as WorkerOptions have them
	random       *rand.Rand
}

const killedEvents = 2500

// most is how many events may be handled again after a crash.
func (k *killing) most() uint64 {
	if k.every > 0 {
		return uint64(k.every)
	}
	return uint64(k.batch)
}

// workToTheEnd is what a child does: it appends what there is still to append, and handles meanwhile. What it does it writes into a file, which
// a kill leaves as it is: "begin EPOCH SEQUENCE" before an event is handled, "end EPOCH SEQUENCE ENTITY" after. Each step goes to file 3, too.
func workToTheEnd(t *testing.T, dir string) {
	told := os.NewFile(3, "told")
	tell := func() { fmt.Fprintln(told) }
	tell()
	every, _ := strconv.Atoi(os.Getenv(killedFolder + "_EVERY"))
	batch, _ := strconv.Atoi(os.Getenv(killedFolder + "_BATCH"))
	log, err := disklog.Open(filepath.Join(dir, "log"), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}()
	store := open(t, filepath.Join(dir, "checkpoints"))
	out, err := os.OpenFile(filepath.Join(dir, "handled"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.WriteString("\n"); err != nil { // what was cut off is a line of its own
		t.Fatal(err)
	}
	tell()
	// The one before may have been killed when it had stored that it was through: then no event is left to end at.
	switch c, err := store.Load(ctx, "worker"); {
	case errors.Is(err, cursor.ErrNoCheckpoint):
	case err != nil:
		t.Fatal(err)
	case c.Place >= killedEvents:
		return
	}
	var w *cursor.Worker
	started := make(chan struct{})
	w, err = cursor.StartWorker(ctx, log, cursor.WorkerOptions{
		Name: "worker", Checkpoints: store, Every: every, Batch: batch, Attempts: 1000,
		HandleBatch: func(_ context.Context, es []core.Envelope) (cursor.Answer, error) {
			<-started
			epoch := w.Status().Epoch
			var begin, end bytes.Buffer
			for _, e := range es {
				fmt.Fprintf(&begin, "begin %d %d .\n", epoch, e.Sequence)
				fmt.Fprintf(&end, "end %d %d %s .\n", epoch, e.Sequence, e.Coordinate.Entity())
			}
			for _, b := range []*bytes.Buffer{&begin, &end} {
				if _, err := out.Write(b.Bytes()); err != nil {
					return 0, err
				}
				tell()
			}
			if es[len(es)-1].Sequence == killedEvents-1 {
				return cursor.Stop, nil
			}
			return cursor.Continue, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	close(started)
	for next := log.Stats().Next; next < killedEvents; {
		var ds []cursor.Draft
		for range min(1+next*31%50, killedEvents-next) {
			c, err := region.NewCoordinate(fmt.Sprintf("order:%d", next%7), "shop")
			if err != nil {
				t.Fatal(err)
			}
			ds = append(ds, cursor.Draft{Coordinate: c, Kind: 0x1001})
			next++
		}
		if _, err := log.Append(ctx, ds); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

// run starts a child, and kills it after so many of its steps; none: it comes to its end. It tells whether it was killed.
func (k *killing) run(t *testing.T, steps int) (killed bool) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestH113KilledWorker$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), killedFolder+"="+k.dir, fmt.Sprintf("%s_EVERY=%d", killedFolder, k.every), fmt.Sprintf("%s_BATCH=%d", killedFolder, k.batch))
	cmd.ExtraFiles = []*os.File{w}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	told := bufio.NewScanner(r)
	for n := 0; n != steps && told.Scan(); n++ {
	}
	if steps >= 0 {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	}
	for told.Scan() { // or it waits for room in the pipe
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		t.Fatalf("a child ended by itself: %v: %s", err, out.String())
	}
	return false
}

// An accounts is what the children wrote.
type accounts struct {
	begun   map[uint64]int // how often
	ended   map[uint64]int
	again   int    // how often an event was handled that had been
	handled uint64 // below it all are
}

// look reads what the children wrote, and checks it: within an epoch all is in order, and the next goes on where the policy lets it, at the latest behind
// what was handled.
func (k *killing) look(t *testing.T) accounts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, "handled"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	h := accounts{begun: make(map[uint64]int), ended: make(map[uint64]int)}
	var epoch, next uint64              // of the epoch: what it begins next
	entities := make(map[string]uint64) // behind the last that was handled of each, for the first time
	begins := make(map[string]uint64)   // of the epoch: behind the last of each
	for line := range strings.Lines(string(text)) {
		what, of, seq, entity := "", uint64(0), uint64(0), ""
		switch fields := strings.Fields(line); {
		case len(fields) == 4 && fields[0] == "begin", len(fields) == 5 && fields[0] == "end":
			what, entity = fields[0], fields[3]
			if of, err = strconv.ParseUint(fields[1], 10, 64); err == nil {
				seq, err = strconv.ParseUint(fields[2], 10, 64)
			}
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		default: // nothing, or cut off
			continue
		}
		if of < epoch {
			t.Fatalf("epoch %d goes on after epoch %d", of, epoch)
		}
		if what == "begin" {
			if of > epoch {
				if seq > h.handled || h.handled-seq > k.most() {
					t.Errorf("epoch %d begins with event %d, where %d are handled; it is %d at most that come again", of, seq, h.handled, k.most())
				}
				epoch, next = of, seq
				clear(begins)
			}
			if seq != next {
				t.Errorf("epoch %d begins event %d; want %d", of, seq, next)
			}
			next = seq + 1
			h.begun[seq]++
			continue
		}
		if seq < begins[entity] || h.begun[seq] == 0 {
			t.Errorf("epoch %d: event %d of %s was handled after %d, or not begun", of, seq, entity, begins[entity])
		}
		begins[entity] = seq + 1
		if h.ended[seq]++; h.ended[seq] > 1 {
			h.again++
			continue
		}
		if seq < entities[entity] || seq != h.handled {
			t.Errorf("event %d of %s was handled first when %d were, and of its entity those below %d", seq, entity, h.handled, entities[entity])
		}
		entities[entity], h.handled = seq+1, max(h.handled, seq+1)
	}
	return h
}

// counted checks what a killed child has left under its name: nothing that wasn't handled is passed over, and what it had begun is counted. An event that
// was in the middle of a span may have been begun once more than is counted.
func (k *killing) counted(t *testing.T, h accounts) {
	t.Helper()
	c, err := open(t, filepath.Join(k.dir, "checkpoints")).Load(ctx, "worker")
	if errors.Is(err, cursor.ErrNoCheckpoint) && len(h.begun) == 0 {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	begun := h.begun[c.Place]
	if c.Place > h.handled || begun-1 > int(c.Attempts) || int(c.Attempts) > begun+1 || begun > 0 && c.Attempts == 0 {
		t.Errorf("saved at %d with %d attempts, where it was begun %d times and %d are handled", c.Place, c.Attempts, begun, h.handled)
	}
}

// TestH113KilledWorker: whenever a Worker is killed, in the end every event was handled, in order, those again alone that the policy lets
// come again, and what was begun was counted before. SPILLWAY_KILLS says how often, 5 by itself.
func TestH113KilledWorker(t *testing.T) {
	if dir := os.Getenv(killedFolder); dir != "" {
		workToTheEnd(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("starts and kills processes: not with -short")
	}
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("SPILLWAY_KILLS")); err == nil {
		kills = n
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	rounds, again := 0, 0
	for done := 0; done < kills && !t.Failed(); rounds++ {
		k := &killing{dir: t.TempDir(), every: []int{0, 16, 100}[random.IntN(3)], batch: 1 + random.IntN(40), random: random}
		for range min(4+random.IntN(6), kills-done) {
			if k.run(t, random.IntN(100)) {
				done++
			}
			k.counted(t, k.look(t))
		}
		if k.run(t, -1) {
			t.Fatal("the last child was killed")
		}
		h := k.look(t)
		if h.handled != killedEvents || len(h.ended) != killedEvents {
			t.Errorf("%d of %d events were handled, all below %d", len(h.ended), killedEvents, h.handled)
		}
		c, err := open(t, filepath.Join(k.dir, "checkpoints")).Load(ctx, "worker")
		if err != nil || c.Place != killedEvents || c.Attempts != 0 || c.LastSequence != killedEvents-1 {
			t.Errorf("at the end %+v, %v", c, err)
		}
		again += h.again
	}
	t.Logf("seed %d: %d kills of Workers over %d logs of %d events; %d events were handled again", seed, kills, rounds, killedEvents, again)
}
