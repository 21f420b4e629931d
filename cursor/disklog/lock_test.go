package disklog_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cursor/disklog"
)

// childEnv tells the test binary, started again, which folder to open. It says what Open returned.
const childEnv = "SPILLWAY_DISKLOG_CHILD"

// inChild opens the Log of a folder in another process, and returns what that says.
func inChild(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestH154SecondOpener$")
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestH154SecondOpener: who opens a Log that is open is refused at once, by whatever name, in this process or another; what
// is open goes on; and the next one may open it when it is closed.
func TestH154SecondOpener(t *testing.T) {
	if dir := os.Getenv(childEnv); dir != "" {
		log, err := disklog.Open(dir, disklog.Options{})
		if err == nil {
			add(t, log, about(t, "child", 0))
			err = log.Close()
		}
		fmt.Printf("locked=%t err=%v\n", errors.Is(err, disklog.ErrLocked), err)
		return
	}
	dir := filepath.Join(t.TempDir(), "log")
	log := openLog(t, dir, disklog.Options{})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, link, dir + "/../log/."} {
		if _, err := disklog.Open(name, disklog.Options{}); !errors.Is(err, disklog.ErrLocked) {
			t.Errorf("opened again as %s: %v; want ErrLocked", name, err)
		}
		if out := inChild(t, name); !strings.Contains(out, "locked=true") {
			t.Errorf("opened in another process as %s: %s; want ErrLocked", name, out)
		}
	}
	add(t, log, about(t, "a", 0))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if out := inChild(t, dir); !strings.Contains(out, "locked=false err=<nil>") {
		t.Errorf("opened in another process when it was closed: %s", out)
	}
	log = openLog(t, dir, disklog.Options{})
	if got := bounds(t, log); got.Next != 2 {
		t.Errorf("%+v, want what both have appended", got)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}
