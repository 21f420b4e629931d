package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// leakless is a testing.M that fails where a goroutine is left over.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	if os.Getenv(telling) != "" {
		os.Exit(tell())
	}
	testscript.Main(leakless{m}, map[string]func(){"spillway": main})
}

// The scripts are the command line's tests: testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"zip": zip, "cut": cut, "events": events, "longline": longLine, "exits": exits, "sameregions": sameRegions,
			"frames":  frames,
			"notutf8": notUTF8, "oddnames": oddNames, "replace": replace,
			"address": address, "served": awaitServed, "ask": ask, "until": until, "appears": appears,
		},
	})
}

// zip FILE TO writes FILE to TO, gzipped.
func zip(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(f.Close())
}

// replace OLD NEW FILE replaces each OLD in FILE.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o666))
}

// cut FILE N keeps the first N bytes of FILE; of a negative N, all but so many.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	if n < 0 {
		n += int64(len(ts.ReadFile(args[0])))
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// events N TO writes N events of ten entities and three lanes.
func events(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"entity":"shop:order%d","scope":"main","kind":"0x1:0x00%d","lane":%d,"time":%d}`+"\n", i%10, i%2+1, i%3, i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o666))
}

// longline MIB TO appends a line of so many MiB to TO.
func longLine(ts *testscript.TestScript, _ bool, args []string) {
	mib, err := strconv.Atoi(args[0])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	part := []byte(strings.Repeat("x", 1<<20))
	for range mib {
		_, err := f.Write(part)
		ts.Check(err)
	}
	_, err = f.WriteString("\n")
	ts.Check(err)
	ts.Check(f.Close())
}

// notutf8 TO writes an event whose name is Latin 1.
func notUTF8(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(`{"entity":"caf`+"\xe9"+`","scope":"s","kind":"0x1:0x001"}`), 0o666))
}

// oddnames DIR writes files whose names look like what git log writes between names.
func oddNames(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range []string{"\nlead", "a\nb", "\x01c", "M"} {
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), name), []byte(name), 0o666))
	}
}

// exits CODE PATTERN [ARG ...] runs spillway with the arguments, and looks at its exit code, and for the
// pattern on its one line of stderr.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("spillway", args[2:]...)
	var exit *exec.ExitError
	if code := 0; !errors.As(err, &exit) || fmt.Sprint(exit.ExitCode()) != args[0] {
		if exit != nil {
			code = exit.ExitCode()
		}
		ts.Fatalf("exit %d, want %s", code, args[0])
	}
	says := ts.ReadFile("stderr")
	if !strings.Contains(says, args[1]) || strings.Count(says, "\n") != 1 {
		ts.Fatalf("stderr %q, want one line with %q", says, args[1])
	}
}

// sameregions FILE FILE looks whether two tables have the same regions.
func sameRegions(ts *testscript.TestScript, not bool, args []string) {
	regions := func(file string) string {
		var names []string
		for line := range strings.Lines(ts.ReadFile(file)) {
			if fields := strings.Fields(line); len(fields) == 8 && fields[5] == "-" {
				names = append(names, fields[7])
			}
		}
		if len(names) == 0 {
			ts.Fatalf("%s has no regions", file)
		}
		return strings.Join(names, "\n")
	}
	if (regions(args[0]) == regions(args[1])) == not {
		ts.Fatalf("the same regions: %v", !not)
	}
}

// A build that drops one delivery in the core must be told from one that conserves.
func TestSabotageIsFound(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program anew: not with -short")
	}
	bin := filepath.Join(t.TempDir(), "spillway")
	build := exec.Command("go", "build", "-tags", "spillway_sabotage", "-o", bin, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	in := filepath.Join(t.TempDir(), "in.jsonl")
	text := `{"entity":"a","scope":"s","kind":"0x1:0x001"}` + "\n" + `{"entity":"b","scope":"s","kind":"0x1:0x001"}` + "\n"
	if err := os.WriteFile(in, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, adapter := range append([]string{mixed}, adapters...) {
		for _, flag := range []string{"--all", "--json"} {
			var out, says strings.Builder
			cmd := exec.CommandContext(t.Context(), bin, "replay", flag, "--adapter", adapter, "--region", "entity=a", "--region", "entity=b", in)
			cmd.Stdout, cmd.Stderr = &out, &says
			err := cmd.Run()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%s %s: got %v, want exit 1", adapter, flag, err)
			}
			if want := `region "entity=a", event 0`; !strings.Contains(says.String(), want) {
				t.Errorf("%s %s: stderr %q does not say %s", adapter, flag, says.String(), want)
			}
			if !strings.Contains(out.String(), "conserved: no") && !strings.Contains(out.String(), `"conserved":false`) {
				t.Errorf("%s %s: stdout says it is conserved: %s", adapter, flag, out.String())
			}
		}
	}
}

// The real history, whole: everything is conserved, however it is read.
func TestReplayOfRealEvents(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data", "git-events.jsonl.gz")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("real events are not beside this checkout: %v", err)
	}
	if testing.Short() {
		t.Skip("replays 209,996 events: not with -short")
	}
	const subscribers, stuck, capacity = 200, 20, 64
	for _, more := range []string{"--writers=1", "--writers=4"} {
		var out, says strings.Builder
		code := run(t.Context(), []string{
			"replay", data, "--json", more,
			fmt.Sprintf("--subscribers=%d", subscribers), fmt.Sprintf("--stuck=%d", stuck), fmt.Sprintf("--capacity=%d", capacity),
		}, stdio{in: strings.NewReader(""), out: &out, err: &says})
		var got report
		if err := json.Unmarshal([]byte(out.String()), &got); code != 0 || err != nil || !got.Conserved {
			t.Fatalf("%s: exit %d, %v, conserved %v: %s", more, code, err, got.Conserved, says.String())
		}
		if got.Events != 209_996 || len(got.Subscriptions) != subscribers {
			t.Errorf("%s: %d events to %d regions", more, got.Events, len(got.Subscriptions))
		}
		unread := 0
		for _, s := range got.Subscriptions {
			if s.Received == 0 { // every region picked from the data matches an event
				unread++
			}
			if full := s.Received == 0 && s.Matched > capacity; s.Pruned != full || full && s.Held != capacity || !full && s.Missed != 0 {
				t.Errorf("%s: %+v", more, s)
			}
		}
		if unread != stuck {
			t.Errorf("%s: %d received nothing, want %d", more, unread, stuck)
		}
	}
}

// Ctrl-C ends a replay with what was done so far.
func TestInterrupted(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.jsonl")
	line := `{"entity":"a","scope":"s","kind":"0x1:0x001"}` + "\n"
	if err := os.WriteFile(in, []byte(strings.Repeat(line, 1000)), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, says strings.Builder
	code := run(ctx, []string{"replay", "--region", "*", "--json", in}, stdio{in: strings.NewReader(""), out: &out, err: &says})
	if code != exitInterrupted || !strings.Contains(out.String(), `"conserved":true`) || !strings.Contains(says.String(), "interrupted") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), says.String())
	}
}
