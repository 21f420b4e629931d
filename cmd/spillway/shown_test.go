package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A history of so many commits, each of which changes so many paths.
const historyCommits, historyPaths = 400, 20

// writeHistory makes a repository.
func writeHistory(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "repo")
	var in bytes.Buffer
	for c := range historyCommits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\n", 1_700_000_000+c)
		for p := range historyPaths {
			text := fmt.Sprint(c, p)
			fmt.Fprintf(&in, "M 644 inline d%d/f%d\ndata %d\n%s\n", p%5, p, len(text), text)
		}
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main", dir}, {"-C", dir, "fast-import", "--quiet"}} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Stdin = &in
		if args[0] == "init" {
			git.Stdin = nil
		}
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

// spillway is the program with arguments, in a process of its own.
func spillway(ctx context.Context, says *bytes.Buffer, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env, c.Stderr = append(os.Environ(), telling+"=1"), says
	return c
}

// TestShown is what the program is shown by: serve, with publish --git and watch beside it. The server is killed in the middle and started
// again; watch ends with every event once.
func TestShown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes: not with -short")
	}
	const total = historyCommits * historyPaths
	repo, dir, address := writeHistory(t), filepath.Join(t.TempDir(), "log"), freeAddressOf(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := startServe(t, "", "--data", dir, "--listen", address)

	var watchSays, publishSays, published bytes.Buffer
	watch := spillway(ctx, &watchSays, "watch", "--from", "start", "--json", "--count", fmt.Sprint(total), "--server", c.url)
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	publish := spillway(ctx, &publishSays, "publish", "--git", repo, "--server", c.url)
	publish.Stdout = &published
	for _, cmd := range []*exec.Cmd{watch, publish} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}

	ids := make(map[string]bool)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e struct {
			Sequence int
			ID       string
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		if e.Sequence != len(ids) || ids[e.ID] {
			t.Fatalf("line %d is of event %d, %s; known: %v", len(ids), e.Sequence, e.ID, ids[e.ID])
		}
		ids[e.ID] = true
		if len(ids) == total/10 {
			if err := c.end(t, syscall.SIGKILL); err == nil {
				t.Error("it was not killed")
			}
			c = startServe(t, "", "--data", dir, "--listen", address)
		}
	}
	if err := watch.Wait(); err != nil || len(ids) != total {
		t.Errorf("watch ends with %d of %d events, %v: %s", len(ids), total, err, watchSays.String())
	}
	if !strings.Contains(watchSays.String(), "; again in ") {
		t.Errorf("watch has not seen the server go: %q", watchSays.String())
	}
	err = publish.Wait()
	if want := fmt.Sprintf("accepted %d, first 0, last %d\n", total, total-1); err != nil || published.String() != want {
		t.Errorf("publish says %q (%v, %s), want %q", published.String(), err, publishSays.String(), want)
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
}
