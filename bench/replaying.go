package bench

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// replayed is how many distinct regions the history is replayed to.
const replayed = 1000

// replayRows are P15: what does it take to read a history and fan it out, against reading it alone? Both sides unzip and decode
// 209,996 events; the time that spillway replay needs to count them all again afterwards is its own, and not in the figure.
//
// Half of a replay is encoding/json, which goes over each line twice. It took twice as long before lines were parsed ahead, on all
// processors, and before the regions to pick were looked up by their parts.
func replayRows() []Row {
	return []Row{{
		ID: "P15", Work: "spillway replay of a history to 1,000 regions, an event", Against: "decode", Unit: "ns",
		Target: 1.5, Stretch: 1.2, Version: 1,
		Needs: func() error { _, _, err := history(); return err },
		Open: func(h Host) Sides {
			root, file, err := history()
			if err != nil {
				h.Fatalf("%v", err)
			}
			program := buildProgram(h, root)
			return Sides{
				Subject:  Section{Name: "spillway", Own: func() (float64, error) { return replayHistory(program, file) }},
				Baseline: decodeSection(file),
			}
		},
	}}
}

// history finds the events of real repositories, which lie beside a checkout, and the checkout's root; a program is built there.
func history() (root, file string, err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return "", "", errors.New("it builds cmd/spillway, and there is no go command here")
	}
	root, err = os.Getwd()
	if err != nil {
		return "", "", err
	}
	for !isRoot(root) {
		if root == filepath.Dir(root) {
			return "", "", errors.New("it builds cmd/spillway, and this is no checkout of the project")
		}
		root = filepath.Dir(root)
	}
	file = filepath.Join(root, "..", "shared", "data", "git-events.jsonl.gz")
	switch _, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", errors.New("the history is not here: it lies in ../shared/data beside a checkout")
	case err != nil:
		return "", "", err
	}
	return root, file, nil
}

func isRoot(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(string(text), "module github.com/spillwayhq/spillway\n")
}

func buildProgram(h Host, root string) string {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			h.Errorf("%v", err)
		}
	})
	program := filepath.Join(dir, "spillway")
	build := exec.Command("go", "build", "-o", program, "./cmd/spillway")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		h.Fatalf("building spillway: %v\n%s", err, out)
	}
	return program
}

// replayHistory runs a replay and returns how many nanoseconds an event took, by its own report.
func replayHistory(program, file string) (float64, error) {
	replay := exec.Command(program, "replay", "--json", "--subscribers", fmt.Sprint(replayed), file)
	var notes strings.Builder
	replay.Stderr = &notes
	out, err := replay.Output()
	if err != nil {
		return 0, fmt.Errorf("spillway replay: %w\n%s", err, notes.String())
	}
	var report struct {
		Events    int     `json:"events"`
		Seconds   float64 `json:"seconds"`
		Conserved bool    `json:"conserved"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return 0, fmt.Errorf("spillway replay: its report: %w", err)
	}
	if report.Events != historyEvents || !report.Conserved {
		return 0, fmt.Errorf("spillway replay: %d events, conserved: %v; want %d, and that they are", report.Events, report.Conserved, historyEvents)
	}
	return report.Seconds * 1e9 / historyEvents, nil
}

const historyEvents = 209_996

// decodeSection reads the history by gzip and encoding/json, in one goroutine, and keeps nothing of it.
func decodeSection(file string) Section {
	var (
		events int
		failed error
	)
	return Section{
		Name: "decode",
		Timed: func() int {
			events, failed = decodeHistory(file)
			return historyEvents
		},
		After: func() error {
			if failed == nil && events != historyEvents {
				return fmt.Errorf("decoded %d events, want %d", events, historyEvents)
			}
			return failed
		},
	}
}

// A historyLine is an event of the history as it is written there.
type historyLine struct {
	Time    uint64   `json:"time"`
	Repo    string   `json:"repo"`
	Commit  string   `json:"commit"`
	Parents []string `json:"parents"`
	Op      string   `json:"op"`
	Path    string   `json:"path"`
}

func decodeHistory(file string) (events int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return 0, err
	}
	lines := bufio.NewReaderSize(unzipped, 1<<16)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		var l historyLine
		if err := json.Unmarshal(line, &l); err != nil {
			return events, err
		}
		if l.Commit == "" {
			return events, fmt.Errorf("event %d has no commit", events)
		}
		events++
	}
}
