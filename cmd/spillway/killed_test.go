package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// telling has the test binary, started again, be spillway itself, and say to file 3 what its log has acknowledged.
const telling = "SPILLWAY_TELLING"

func tell() int {
	to := os.NewFile(3, "acknowledged")
	return run(context.Background(), os.Args[1:], stdio{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		told: func(next uint64) { fmt.Fprintln(to, next) },
	})
}

// A child is a spillway in a process of its own.
type child struct {
	cmd      *exec.Cmd
	told     *bufio.Scanner
	pipe     io.Closer
	out, err bytes.Buffer
}

func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), os.Args[0], args...), told: bufio.NewScanner(r), pipe: r}
	c.cmd.Env = append(os.Environ(), telling+"=1")
	c.cmd.ExtraFiles = []*os.File{w}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.err
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

// next returns the next that it says; false where it has ended.
func (c *child) next(t *testing.T) (acknowledged uint64, ok bool) {
	t.Helper()
	if !c.told.Scan() {
		return 0, false
	}
	n, err := strconv.ParseUint(c.told.Text(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n, true
}

// last returns the last that it has said, when it has ended, and what it ended with.
func (c *child) last(t *testing.T, acknowledged uint64) (uint64, error) {
	t.Helper()
	for {
		n, ok := c.next(t)
		if !ok {
			break
		}
		acknowledged = n
	}
	err := c.cmd.Wait()
	if cerr := c.pipe.Close(); cerr != nil {
		t.Error(cerr)
	}
	return acknowledged, err
}

// A killing is an input, and a log that is made of it by children that are killed.
type killing struct {
	input  string
	events []*core.Envelope
	chunk  int // events of an append
	dir    string
	random *rand.Rand

	acknowledged uint64 // by whichever child
	began        uint64 // where the last one went on
}

const killedEvents, killedCapacity = 10_000, 64

func newKilling(t *testing.T, seed uint64) *killing {
	t.Helper()
	k := &killing{
		input: filepath.Join(t.TempDir(), "in.jsonl"), chunk: killedCapacity / 2, random: rand.New(rand.NewPCG(seed, 0)),
	}
	var b strings.Builder
	for i := range killedEvents {
		fmt.Fprintf(&b, `{"entity":"shop:order%d","scope":"main","kind":"0x1:0x00%d","lane":%d,"time":%d,"payload":"event %d"}`+"\n", i%97, i%3+1, i%5, i, i)
	}
	if err := os.WriteFile(k.input, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	events, err := readAll(t.Context(), func() (input, error) {
		s, err := openSource(k.input, nil)
		return &lineInput{source: s, format: "auto"}, err
	}, false, io.Discard)
	if err != nil || len(events) != killedEvents {
		t.Fatalf("%d events, %v", len(events), err)
	}
	k.events = events
	return k
}

func (k *killing) start(t *testing.T) *child {
	t.Helper()
	return startChild(t, "replay", "--log", k.dir, "--resume", "--json",
		"--subscribers", "30", "--stuck", "3", "--capacity", fmt.Sprint(killedCapacity), "--adapter", "mixed", k.input)
}

// found takes what a child has found when it began.
func (k *killing) found(t *testing.T, c *child) (ok bool) {
	t.Helper()
	found, ok := c.next(t)
	if !ok {
		return false
	}
	if found < k.acknowledged {
		t.Errorf("%d events were acknowledged, and a child found %d", k.acknowledged, found)
	}
	k.acknowledged, k.began = max(k.acknowledged, found), found
	return true
}

// kill has a child append for a while, kills it, and tells whether it was in time: just now it was told something, and so it is in the midst of the next. Some
// are killed while they begin or open the log.
func (k *killing) kill(t *testing.T) (killed bool) {
	t.Helper()
	c := k.start(t)
	if k.random.IntN(4) == 0 {
		k.awaitFolder(t)
	} else if k.found(t, c) {
		for range k.random.IntN(80) {
			n, ok := c.next(t)
			if !ok {
				break
			}
			k.acknowledged = n
		}
	}
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	acknowledged, err := c.last(t, k.acknowledged)
	k.acknowledged = acknowledged
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status, ok := exit.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		t.Errorf("it ended by itself: %v: %s", err, c.err.String())
	}
	return false // it was done before
}

// awaitFolder returns when the folder of the log is there, or a little later. In a folder that is there already, the child has not
// come so far.
func (k *killing) awaitFolder(t *testing.T) {
	t.Helper()
	for range 100_000_000 {
		if _, err := os.Stat(filepath.Join(k.dir, "engine")); err == nil {
			for range k.random.IntN(2000) { // some hundred microseconds, in which it makes files
				_, _ = os.Stat(k.dir) // it takes a while, that is all
			}
			return
		}
	}
	t.Fatal("the child has made no log")
}

// look reads all that is in the log.
func (k *killing) look(t *testing.T) {
	t.Helper()
	log, err := disklog.Open(k.dir, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	next := uint64(0)
	err = log.Verify(t.Context(), func(e core.Envelope) error {
		if e.Sequence != next || !equalEvents(&e, k.events[next]) {
			return fmt.Errorf("event %d is %v, and not the input's", next, e)
		}
		next++
		return nil
	})
	if err := closeLog(log, err); err != nil {
		t.Fatal(err)
	}
	if next < k.acknowledged {
		t.Errorf("%d events were acknowledged, and %d are there", k.acknowledged, next)
	}
	if half := (next - k.began) % uint64(k.chunk); half != 0 && next != killedEvents {
		t.Errorf("%d events are there: %d of an append of %d", next, half, k.chunk)
	}
}

// finish lets a child come to the end.
func (k *killing) finish(t *testing.T) {
	t.Helper()
	c := k.start(t)
	k.found(t, c)
	acknowledged, err := c.last(t, k.acknowledged)
	if err != nil {
		t.Fatalf("%v: %s", err, c.err.String())
	}
	var r report
	if err := json.Unmarshal(c.out.Bytes(), &r); err != nil || r.Log == nil {
		t.Fatalf("%v: %s", err, c.out.String())
	}
	if want := hashOf(k.events).String(); acknowledged != killedEvents || r.Log.Events != killedEvents || r.Log.Hash != want {
		t.Errorf("%d acknowledged, the log has %d events with hash %s; want %d with %s", acknowledged, r.Log.Events, r.Log.Hash, killedEvents, want)
	}
	if !r.Conserved || r.Log.Missed != 0 || r.Events != killedEvents {
		t.Errorf("conserved %v of %d events, %d missed by those who read", r.Conserved, r.Events, r.Log.Missed)
	}
	whole := 0
	for _, s := range r.Subscriptions {
		if s.Received == s.Matched && s.Received > 0 {
			whole++
		}
	}
	if whole != len(r.Subscriptions)-3 {
		t.Errorf("%d of %d have everything; want all but 3", whole, len(r.Subscriptions))
	}
}

// TestH151KilledProcess: whenever the process is killed, what was acknowledged is there, no append is there in part, and when it is
// started again everybody who reads ends with everything. SPILLWAY_KILLS says how often, 5 by itself.
func TestH151KilledProcess(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes: not with -short")
	}
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("SPILLWAY_KILLS")); err == nil {
		kills = n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := newKilling(t, seed)
	rounds := 0
	for done := 0; done < kills && !t.Failed(); rounds++ {
		k.dir, k.acknowledged, k.began = filepath.Join(t.TempDir(), "log"), 0, 0
		for range min(3+k.random.IntN(6), kills-done) {
			if k.kill(t) {
				done++
			}
			if k.random.IntN(2) == 0 { // or the next child is the first to open what was left
				k.look(t)
			}
		}
		k.finish(t)
		k.look(t)
	}
	t.Logf("%d kills, in the making of %d logs of %d events", kills, rounds, killedEvents)
}

// Ctrl-C ends a replay that goes through a log with all that was appended read, and the log closed.
func TestInterruptedThroughLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process: not with -short")
	}
	k := newKilling(t, 1)
	k.dir = filepath.Join(t.TempDir(), "log")
	c := k.start(t)
	for range 20 {
		k.acknowledged, _ = c.next(t)
	}
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	acknowledged, err := c.last(t, k.acknowledged)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || !strings.Contains(c.err.String(), "interrupted") {
		t.Fatalf("%v: %s", err, c.err.String())
	}
	var r report
	if err := json.Unmarshal(c.out.Bytes(), &r); err != nil || r.Log == nil {
		t.Fatalf("%v: %s", err, c.out.String())
	}
	if !r.Conserved || r.Log.Missed != 0 || r.Log.Events != acknowledged || uint64(r.Events) != acknowledged || acknowledged == killedEvents {
		t.Errorf("conserved %v, %d missed, %d events of %d acknowledged; the log has %d", r.Conserved, r.Log.Missed, r.Events, acknowledged, r.Log.Events)
	}
	log, err := disklog.Open(k.dir, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := log.Stats(); s.Next != acknowledged || s.Opened.Cut {
		t.Errorf("%d events are there, of %d acknowledged; cut: %v", s.Next, acknowledged, s.Opened.Cut)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	k.finish(t)
}
