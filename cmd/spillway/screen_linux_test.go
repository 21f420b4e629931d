package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A screen is a terminal of 80 columns and 24 lines, which remembers what is written to it.
type screen struct {
	t    *testing.T
	user *os.File // who looks at it, and types
	line *os.File // what a program has as its standard streams

	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // has one when there is more
	done chan struct{}
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(user.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, user: user, line: line, more: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_, _ = io.Copy(s, user) // until nobody writes any more, which is an error here
	}()
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// run has a program run on the screen until it shows a text, types, and waits for its end.
func (s *screen) run(c *exec.Cmd, until, keys string) {
	s.t.Helper()
	c.Stdin, c.Stdout, c.Stderr = s.line, s.line, s.line
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.line.Close() // the program has it
	for !strings.Contains(s.String(), until) {
		select {
		case <-s.more:
		case <-s.done:
			s.t.Fatalf("it shows %q", s.String())
		}
	}
	if _, err := io.WriteString(s.user, keys); err != nil {
		s.t.Error(err)
	}
	if err := c.Wait(); err != nil {
		s.t.Errorf("%v: %q", err, s.String())
	}
	<-s.done
	_ = s.user.Close()
}

// On a terminal top draws its screen, and watch its lines: in colours, unless NO_COLOR says anything, or the terminal has none.
func TestOnAScreen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes: not with -short")
	}
	c := startServe(t, "", "--memory", "--listen", "127.0.0.1:0")
	var says bytes.Buffer
	if err := spillway(t.Context(), &says, "publish", "alice@shop", "--kind", "0x1:0x001", "--server", c.url).Run(); err != nil {
		t.Fatal(err, says.String())
	}
	colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-7]|1|2)m`)
	top, watch := []string{"top"}, []string{"watch", "--from", "start", "--count", "1"}
	for _, v := range []struct {
		terminal, noColour string
		args               []string
		until, keys        string
		coloured           bool
	}{
		{"xterm-256color", "", top, "0 subscriptions by full", "q", true},
		{"xterm-256color", "yes", top, "0 subscriptions by full", "q", false},
		{"dumb", "", append(top, "--count", "1"), "  events 0/s", "", false},
		{"xterm-256color", "", watch, "alice@shop", "", true},
		{"xterm-256color", "yes", watch, "alice@shop", "", false},
		{"dumb", "", watch, "alice@shop", "", false},
	} {
		cmd := spillway(t.Context(), nil, append(v.args, "--server", c.url)...)
		cmd.Env = append(cmd.Env, "TERM="+v.terminal, "NO_COLOR="+v.noColour)
		s := newScreen(t)
		s.run(cmd, v.until, v.keys)
		if got := colour.FindString(s.String()); (got != "") != v.coloured {
			t.Errorf("%s on %s with NO_COLOR=%s: %q in %q", v.args[0], v.terminal, v.noColour, got, s.String())
		}
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
}
