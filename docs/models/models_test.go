package models_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// models are what is checked whole, and how many states are to be found at least: a model that has become
// much smaller checks something else. The first is the one with two writers, a canceller and a closer.
var models = []struct {
	name   string
	states int
}{
	{"grace", 1_000_000},
	{"opening", 1_000_000},
	{"retiring", 1_000_000},
	{"delaying", 1_000_000},
	{"parking", 300_000},
	{"claiming", 100_000},
	{"overwriting", 1_000_000},
	{"spares", 1_000_000},
	{"latest", 3_000_000},
	{"ranks", 150_000},
	{"multicast", 3_000_000},
	{"lapping", 1_000_000},
	{"order", 1_000_000},
	{"sleeping", 500_000},
	{"listing", 100_000},
	{"sole", 1_000_000},
	{"callback", 1_000_000},
	{"journal", 3_000_000},
	{"following", 5_000_000},
}

// A finding is the kind of error by which the checker rejects a twin.
type finding string

const (
	violated finding = "assertion violated" // something happened that must not
	stuck    finding = "invalid end state"  // somebody waits for what will not come
)

// twins are protocols with a step left out or misplaced, each with the model that rejects it.
var twins = []struct {
	name, model string
	want        finding
	about       string // what the violated assertion mentions
}{
	// The grace.
	{"NO_SECOND_LOOK", "grace", violated, "sink"},
	{"LOAD_BEFORE_ANNOUNCE", "grace", violated, "sink"},
	{"CLOSE_WITHOUT_GRACE", "grace", violated, "sink"},
	{"PARK_WITHOUT_LOOK", "grace", stuck, ""},
	{"MOVE_WITHOUT_WAKE", "delaying", stuck, ""},
	{"ONE_COUNT", "delaying", stuck, ""},

	// The reaper.
	{"EXIT_WITHOUT_LOOK", "grace", violated, "retired"},
	{"STORE_NOT_SWAP", "grace", stuck, ""},
	{"OUT_BEFORE_GRACE", "grace", violated, "owed"},
	{"LOOK_THEN_CLEAR", "retiring", stuck, ""},
	{"NEXT_AFTER_CLEAR", "retiring", stuck, ""},
	{"COLLECT_AGAIN", "retiring", violated, "state"},
	{"NOT_READY", "retiring", violated, "said"},
	{"BARRIER_ALONE", "retiring", violated, "dones"},

	// Ending and opening.
	{"LOOK_THEN_TURN", "grace", violated, "ended"},
	{"LATE_CAUSE", "retiring", violated, "said"},
	{"BOTH_ENQUEUE", "opening", violated, "registered"},
	{"OPEN_BEFORE_LIVE", "opening", violated, "returned"},

	// Readers that wait.
	{"PARKED_AFTER_LOOK", "parking", stuck, ""},
	{"WAKE_BEFORE_PUBLISH", "parking", stuck, ""},
	{"TOKEN_KEPT", "parking", stuck, ""},
	{"END_KEPT", "parking", stuck, ""},
	{"TOKEN_BEFORE_END", "parking", stuck, ""},
	{"END_BEFORE_COUNTED", "parking", stuck, ""},
	{"NO_LAST_LOOK", "parking", violated, "head"},

	// A queue of many writers.
	{"CLAIM_BY_STORE", "claiming", violated, "event"},
	{"READY_BEFORE_WRITE", "claiming", violated, "event"},
	{"ANY_IS_READY", "claiming", violated, "event"},
	{"HEAD_BEFORE_WIPE", "claiming", violated, "event"},
	{"HEAD_FIRST", "claiming", violated, "tail"},
	{"SEEN_IS_BELIEVED", "claiming", violated, "tail"},

	// A ring that overwrites.
	{"READ_BEFORE_TAKE", "overwriting", violated, "event"},
	{"CELL_STAYS", "overwriting", violated, "event"},
	{"PASSES_WITH_ITS_CELL", "overwriting", violated, "event"},
	{"HOLE_HAS_A_CELL", "overwriting", violated, "event"},
	{"LOST_BEFORE_CLAIM", "overwriting", violated, "accepted"},
	{"PUBLISH_BY_STORE", "overwriting", stuck, ""},
	{"HOLE_WITHOUT_WAKE", "overwriting", stuck, ""},

	// Its cells that are free.
	{"NO_CHANGES", "spares", violated, "made"},
	{"MADE_BEFORE_BLOCK", "spares", violated, "more"},

	// What is newest of a key.
	{"POPS_AFTER_TAKE", "latest", violated, "unread"},
	{"PUSHES_BEFORE_PUSH", "latest", violated, "unread"},
	{"LOOK_BEFORE_SWAP", "latest", violated, "unread"},
	{"WAKES_THEN_PUSHES", "latest", stuck, ""},
	{"LENT_BY_STORE", "latest", violated, "on["},
	{"OWN_BACK_FIRST", "latest", violated, "on["},
	{"FILLED_IN_THE_CELL", "latest", violated, "event"},
	{"SPARE_BEFORE_WIPE", "latest", violated, "event"},

	// How many keys there are.
	{"NO_HELP", "ranks", stuck, ""},
	{"RANK_FIRST", "ranks", violated, "ranked"},
	{"COUNTED_BEFORE_RANK", "ranks", violated, "installed"},
	{"COUNTED_AFTER_PLACES", "ranks", violated, "refused"},

	// Windows that many read.
	{"LAP_CHECK_AFTER_COPY", "lapping", violated, "late"},
	{"COUNTS_IN_LATE", "multicast", violated, "event"},
	{"LOOKS_THEN_OPENS", "multicast", violated, "event"},
	{"OPENS_OVER_READERS", "multicast", violated, "event"},
	{"OPENS_OVER_WRITERS", "lapping", stuck, ""},
	{"READY_BEFORE_EVENT", "multicast", violated, "event"},
	{"KNOWN_BEFORE_LOOK", "multicast", violated, "event"},
	{"WINDOWS_FULL", "lapping", stuck, ""},

	// Their sequences.
	{"NEXT_AFTER_CLAIM", "order", violated, "expected"},
	{"PLACING_AFTER_CLAIM", "order", violated, "expected"},
	{"PLACING_ONCE", "order", violated, "expected"},

	// The list of those who sleep.
	{"ROUSES_BEFORE_PUBLISH", "sleeping", stuck, ""},
	{"LISTED_AFTER_LOOK", "sleeping", stuck, ""},
	{"ASLEEP_FIRST", "listing", stuck, ""},
	{"TAKES_THEN_ROUND", "sleeping", stuck, ""},
	{"ENDS_UNASKED", "sleeping", stuck, ""},
	{"UNLISTED_FIRST", "sleeping", stuck, ""},
	{"SOLE_FIRST", "sole", stuck, ""},
	{"SOLE_LATE", "sole", stuck, ""},

	// Events handed to a function.
	{"WAKE_BEFORE_PUT", "callback", stuck, ""},
	{"IDLE_WITHOUT_LOOK", "callback", stuck, ""},
	{"GOES_WITHOUT_FINISH", "callback", stuck, ""},
	{"CLOSE_WITHOUT_FINISH", "callback", stuck, ""},
	{"WAITS_FOR_CLOSE", "callback", stuck, ""},
	{"BROKEN_RUNS_ON", "callback", stuck, ""},
	{"START_WITHOUT_SWAP", "callback", violated, "calling"},
	{"RUNNING_FIRST", "callback", violated, "calling"},
	{"CLOSED_IS_OVER", "callback", violated, "handled"},
	{"LOOKS_ONCE", "callback", violated, "over"},

	// The journal.
	{"PUBLISHES_FIRST", "journal", violated, "synced"},
	{"ANSWERS_BEFORE_THE_SYNC", "journal", violated, "synced"},
	{"ANSWERS_FIRST", "journal", violated, "heard"},
	{"UNKNOWN_IS_PASSED_OVER", "journal", violated, "heard"},
	{"PASSES_OVER_OTHERS", "journal", violated, "heard"},
	{"LEAVES_UNDER_WAY", "journal", violated, "at"},
	{"ROUSES_FIRST", "journal", stuck, ""},
	{"CLOSES_AT_ONCE", "journal", stuck, ""},
	{"FORGETS_THE_QUEUED", "journal", stuck, ""},
	// A follower of a log.
	{"BOUNDARY_BEFORE_REGISTER", "following", violated, "handed"},
	{"RESUME_AT_NEWEST", "following", violated, "handed"},
	{"MARK_BEFORE_DRAIN", "following", violated, "held"},
	{"PUBLISH_BEFORE_DURABLE", "following", violated, "committed"},
	{"DUPLICATES_KEPT", "following", violated, "handed"},
	{"JUMP_TO_FIRST", "following", violated, "handed"},
	{"NO_JOURNAL", "following", violated, "handed"},
	{"NEVER_LOOKS", "following", violated, "handed"},
}

// limit is for one model or twin, its compilation included.
const limit = 3 * time.Minute

// TestModels has spin check each model in full, and reject each twin for the reason it should.
func TestModels(t *testing.T) {
	if os.Getenv("SPILLWAY_MODELS") != "1" {
		t.Skip("runs in a step of its own, with SPILLWAY_MODELS=1")
	}
	need(t, "spin")
	need(t, "gcc")
	t.Run("model", func(t *testing.T) {
		for _, m := range models {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				accept(t, check(t, m.name, ""), m.states)
			})
		}
	})
	t.Run("twin", func(t *testing.T) {
		for _, twin := range twins {
			t.Run(twin.name, func(t *testing.T) {
				t.Parallel()
				r := check(t, twin.model, "TWIN_"+twin.name)
				t.Logf("%s: %s, after %d states", twin.model, r.found, r.states)
				if r.errors != 1 || !strings.HasPrefix(r.found, string(twin.want)) || !strings.Contains(r.found, twin.about) {
					t.Errorf("%d errors, %q; want one, %q about %q", r.errors, r.found, twin.want, twin.about)
				}
			})
		}
	})
}

// accept fails t unless r is a whole search without an error that has been everywhere.
func accept(t *testing.T, r result, states int) {
	t.Helper()
	t.Logf("%d states, %.1f s, %.0f MB", r.states, r.seconds, r.megabytes)
	if r.errors != 0 || r.found != "" {
		t.Errorf("%d errors: %s", r.errors, r.found)
	}
	if r.states < states {
		t.Errorf("%d states stored, want %d or more", r.states, states)
	}
	if r.cut != "" {
		t.Errorf("the search is not whole: %s", r.cut)
	}
	if r.visited < 2 { // writers and init at the least
		t.Errorf("%d processes are reported on; has spin's report changed?", r.visited)
	}
	for _, u := range r.unreached {
		t.Errorf("unreached: %s", u)
	}
}

// TestTwins: each twin that a model can be made is in the table, and in README.md with its model; the
// table has no other.
func TestTwins(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, defined []string
	for _, twin := range twins {
		listed = append(listed, twin.name)
		row := regexp.MustCompile("(?m)^\\| `" + twin.name + "` \\|.*\\| " + twin.model + ": " + string(twin.want) + ".* \\|$")
		if !row.Match(readme) {
			t.Errorf("README.md has no row for %s, rejected by %s: %s", twin.name, twin.model, twin.want)
		}
	}
	define := regexp.MustCompile(`TWIN_([A-Z_]*[A-Z])`)
	for _, path := range sources(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range define.FindAllStringSubmatch(string(text), -1) {
			defined = append(defined, m[1])
		}
	}
	slices.Sort(listed)
	slices.Sort(defined)
	if defined = slices.Compact(defined); !slices.Equal(listed, defined) {
		t.Errorf("twins in the table: %v\ntwins in the models: %v", listed, defined)
	}
}

// need skips t where a tool is missing. In CI that is a failure: there the models have to be checked.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing; the models need spin and gcc", tool)
	}
	t.Skipf("%s is missing; the models need spin and gcc", tool)
}

func sources(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.pml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models: %v", err)
	}
	return paths
}

// A result is what the checker reports of one search.
type result struct {
	states, errors     int
	seconds, megabytes float64

	found     string   // the error; empty: none
	cut       string   // why the search is not whole, where it is not
	visited   int      // processes of whose steps the report says which were never taken
	unreached []string // those steps
}

// check makes a checker of a model, with define, and runs it.
func check(t *testing.T, model, define string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	dir := t.TempDir()
	for _, path := range sources(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	generate := []string{"-a"}
	if define != "" {
		generate = append(generate, "-D"+define)
	}
	run(ctx, t, dir, "spin", append(generate, model+".pml")...)
	// COLLAPSE stores a state in a third of the memory and is still exact; MEMLIM is in MB. At -O1 the search is
	// as fast as at -O2, and the compiler a third faster.
	run(ctx, t, dir, "gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=2000", "-o", "pan", "pan.c")
	return parse(t, run(ctx, t, dir, "./pan", "-m100000", "-c1"))
}

// run runs a tool in dir and returns what it prints.
func run(ctx context.Context, t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s %s: not done after %v", tool, strings.Join(args, " "), limit)
	}
	// pan's own exit code says nothing that its report doesn't.
	if exit := (*exec.ExitError)(nil); err != nil && (tool != "./pan" || !errors.As(err, &exit)) {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
	return string(out)
}

var (
	foundLine     = regexp.MustCompile(`(?m)^pan:1: (.*)$`)
	cutLine       = regexp.MustCompile(`(?im)^.*(?:max search depth|search not completed|out of memory|memory bound|interrupted).*$`)
	errorsLine    = regexp.MustCompile(`(?m)^State-vector .*, errors: (\d+)$`)
	statesLine    = regexp.MustCompile(`(?m)^ *(\d+) states, stored$`)
	secondsLine   = regexp.MustCompile(`(?m)^pan: elapsed time ([\d.]+) seconds$`)
	memoryLine    = regexp.MustCompile(`(?m)^ *([\d.]+)\ttotal actual memory usage$`)
	unreachedPart = regexp.MustCompile(`(?m)^unreached in (.+)\n((?:\t.+\n)*?)\t\((\d+) of \d+ states\)$`)
)

// parse reads pan's report.
func parse(t *testing.T, report string) result {
	t.Helper()
	number := func(line *regexp.Regexp) float64 {
		m := line.FindStringSubmatch(report)
		if m == nil {
			t.Fatalf("no %v in the report:\n%s", line, report)
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	r := result{
		states: int(number(statesLine)), errors: int(number(errorsLine)),
		megabytes: number(memoryLine), cut: cutLine.FindString(report),
	}
	if secondsLine.MatchString(report) { // not where it took none
		r.seconds = number(secondsLine)
	}
	if m := foundLine.FindStringSubmatch(report); m != nil {
		r.found = m[1]
	}
	for _, m := range unreachedPart.FindAllStringSubmatch(report, -1) {
		r.visited++
		if m[3] != "0" {
			r.unreached = append(r.unreached, m[3]+" steps of "+m[1]+":\n"+m[2])
		}
	}
	if want := strings.Count(report, "unreached in "); r.visited != want {
		t.Errorf("%d of the report's %d lists of unreached steps are understood:\n%s", r.visited, want, report)
	}
	return r
}
