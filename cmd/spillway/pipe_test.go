package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// H200: whoever reads has seen enough, and the command ends quietly, at once; an interrupt is exit 130, and what is said as JSON is JSON
// then, too.
func TestH200ClosedPipeAndInterrupt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes: not with -short")
	}
	c := startServe(t, "", "--memory", "--listen", "127.0.0.1:0")
	var says bytes.Buffer
	if err := spillway(t.Context(), &says, "publish", "alice@shop", "--kind", "0x1:0x001", "--server", c.url).Run(); err != nil {
		t.Fatal(err, says.String())
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second) // or one that waits for ever is killed
	defer cancel()
	place := filepath.Join(t.TempDir(), "place")
	for _, args := range [][]string{
		{"watch", "--from", "start"}, {"watch", "--from", "start", "--json", "--resume", place}, {"top"}, {"top", "--json"},
	} {
		for _, interrupt := range []bool{false, true} {
			if !interrupt && runtime.GOOS != "linux" && args[0] == "watch" {
				continue // it ends with the next event
			}
			_ = os.Remove(place)
			var says bytes.Buffer
			cmd := spillway(soon, &says, append(args, "--server", c.url)...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line := make([]byte, 1)
			if _, err := out.Read(line); err != nil {
				t.Fatal(err, says.String())
			}
			if interrupt {
				err = cmd.Process.Signal(os.Interrupt)
			} else {
				err = out.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			code, want := 0, "" // as head has it
			if interrupt {
				want = "spillway: interrupted\n"
				if exit, ok := errors.AsType[*exec.ExitError](err); ok {
					code = exit.ExitCode()
				}
				if code != exitInterrupted {
					t.Errorf("%q interrupted: exit %d, %v", args, code, err)
				}
			} else if err != nil {
				t.Errorf("%q, unread: %v", args, err)
			}
			if says.String() != want {
				t.Errorf("%q, interrupted %v: it says %q", args, interrupt, says.String())
			}
			if args[len(args)-1] == place {
				if text, err := os.ReadFile(place); err != nil || !strings.Contains(string(text), `-0"}`) {
					t.Errorf("interrupted %v: the place is %q, %v", interrupt, text, err)
				}
			}
		}
	}

	// publish that is interrupted says what is in the log.
	cmd := spillway(t.Context(), &says, "publish", "-", "--json", "--server", c.url)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte(`{"entity":"bob","scope":"s","kind":"0x1:0x001"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := answered(c.url+"/v1/log?from=1", "bob"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var said struct {
		Accepted int
		Error    string
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitInterrupted {
		t.Errorf("publish ends with %v", err)
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || said.Error != "interrupted" {
		t.Errorf("publish says %q, %v", out.String(), err)
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
}
