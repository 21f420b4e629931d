package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A repository is where the test is, in a folder of its own.
type repository struct{ t *testing.T }

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	t.Chdir(t.TempDir())
	r := repository{t}
	r.git("init", "-q")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	args = append([]string{"-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"}, args...)
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// write replaces a file.
func (r repository) write(file, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit adds a line to a file, commits all there is, and returns the commit.
func (r repository) commit(file, line string) string {
	r.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	r.write(file, string(text)+line+"\n")
	r.git("add", "-A")
	r.git("commit", "-qm", file)
	return r.git("rev-parse", "HEAD")
}

// clone makes a clone without history and returns its folder.
func (r repository) clone(of string) string {
	r.t.Helper()
	dir := r.t.TempDir()
	r.git("clone", "-q", "--depth", "1", "file://"+of, dir)
	return dir
}

func wantBase(t *testing.T, when, base string) {
	t.Helper()
	if got, err := baseCommit(t.Context()); err != nil || got != base {
		t.Errorf("%s: base %q, %v; want %q", when, got, err, base)
	}
}

// The base is the last commit before HEAD that changed the history; a first commit has none.
func TestBaseCommit(t *testing.T) {
	r := newRepository(t)
	first := r.commit(historyFile, "{}")
	wantBase(t, "first commit", "")
	r.commit("other", "")
	wantBase(t, "after it", first)
	second := r.commit(historyFile, "{}")
	wantBase(t, "HEAD itself records", first)
	r.commit("other", "")
	wantBase(t, "after that", second)

	// HEAD is what GitHub tests: a branch merged into main. What the branch recorded counts.
	main := r.git("rev-parse", "--abbrev-ref", "HEAD")
	r.git("checkout", "-qb", "aside")
	aside := r.commit(historyFile, "{}")
	r.git("checkout", "-q", main)
	r.commit("more", "")
	r.git("merge", "-q", "--no-ff", "-m", "merge", "aside")
	wantBase(t, "after a merge", aside)
}

func TestBaseCommitOfAHistoryThatIsNotRecorded(t *testing.T) {
	r := newRepository(t)
	r.commit("one", "")
	r.commit("other", "")
	wantBase(t, "nothing recorded", "")
}

// A clone without history fetches it, and says so where it can't.
func TestBaseCommitOfAShallowClone(t *testing.T) {
	r := newRepository(t)
	recorded := r.commit(historyFile, "{}")
	r.commit("other", "")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	shallow := r.clone(dir)
	ofThat := r.clone(shallow)
	wants := func(when, why string) {
		t.Helper()
		base, err := baseCommit(t.Context())
		if err == nil || base != "" || !strings.Contains(err.Error(), "this clone has no history to compare with") || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: base %q, %v; want none, and %q", when, base, err, why)
		}
		if code, out, notes := runGate("--regress"); code != exitFailure || out != "" || !strings.Contains(notes, why) {
			t.Errorf("%s: exit %d, %q, %q; want 1 and why", when, code, out, notes)
		}
	}
	t.Chdir(ofThat)
	wants("cloned from one without history", "neither has what it was cloned from")
	r.git("remote", "set-url", "origin", "file:///nowhere")
	wants("cloned from what is no more", "can't fetch it")

	t.Chdir(shallow)
	wantBase(t, "a clone without history", recorded)
	if got := r.git("rev-parse", "--is-shallow-repository"); got != "false" {
		t.Errorf("shallow: %s, want its history fetched", got)
	}
}

func TestBaseCommitOutsideARepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	t.Chdir(t.TempDir())
	if code, out, notes := runGate("--regress"); code != exitFailure || out != "" || !strings.Contains(notes, "git rev-parse") {
		t.Errorf("exit %d, %q, %q; want 1 and that there is none", code, out, notes)
	}
}

// A commit's files are written without a trace in the clone: no worktree, no index, no other files.
func TestCheckOut(t *testing.T) {
	r := newRepository(t)
	old := r.commit("a/one", "1")
	r.commit("a/one", "2")
	r.commit("two", "2")
	tree := filepath.Join(t.TempDir(), "tree")
	if err := checkOut(t.Context(), old, tree); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(tree, "a", "one")); err != nil || string(text) != "1\n" {
		t.Errorf("got %q, %v; want the file as it was", text, err)
	}
	if _, err := os.Stat(filepath.Join(tree, "two")); !os.IsNotExist(err) {
		t.Errorf("a file that came later: %v, want that it isn't there", err)
	}
	if status, trees := r.git("status", "--porcelain"), r.git("worktree", "list"); status != "" || strings.Contains(trees, "\n") {
		t.Errorf("status %q, worktrees %q; want the clone as it was", status, trees)
	}
	if err := checkOut(t.Context(), "nothing", filepath.Join(t.TempDir(), "tree")); err == nil {
		t.Error("a commit that there isn't was checked out")
	}
}

func TestGoneRows(t *testing.T) {
	r := newRepository(t)
	r.commit(historyFile, `{"rows":[{"row":"P0older"}]}`)
	recorded := r.commit(historyFile, `{"rows":[{"row":"P1z"},{"row":"P0old"}]}`)
	if gone, err := goneRows(t.Context(), recorded); err != nil || len(gone) != 1 || gone[0] != "P0old" {
		t.Errorf("got %v, %v; want P0old, which the last line has and the bench has not", gone, err)
	}
	if _, err := goneRows(t.Context(), r.commit(historyFile, "no JSON")); err == nil || !strings.Contains(err.Error(), historyFile) {
		t.Errorf("a line that is none: %v, want an error", err)
	}
	r.git("rm", "-q", historyFile)
	if gone, err := goneRows(t.Context(), r.commit("other", "")); err != nil || gone != nil {
		t.Errorf("a history that was removed: %v, %v; want none", gone, err)
	}
}
