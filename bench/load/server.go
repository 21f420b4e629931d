package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// build builds the server, unless one was given.
func (l *load) build(ctx context.Context) error {
	if l.binary != "" {
		return nil
	}
	l.binary = filepath.Join(l.dir, "spillway")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", l.binary, "github.com/spillwayhq/spillway/cmd/spillway").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building cmd/spillway: %w\n%s", err, out)
	}
	return nil
}

// A server is a process that prints its URL when it is ready.
type server struct {
	cmd  *exec.Cmd
	url  string
	addr string // of the URL
	log  bytes.Buffer
}

// start starts one. It is killed when ctx is over.
func start(ctx context.Context, binary string, args ...string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, binary, args...)}
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		return nil, fmt.Errorf("%s %s says nothing: %w: %s", filepath.Base(binary), strings.Join(args, " "), err, s.log.String())
	}
	s.url = strings.TrimSpace(line)
	_, s.addr, _ = strings.Cut(s.url, "://")
	return s, nil
}

// serve starts spillway serve, on a port of its own unless the arguments say which, with room for as many clients as there will be.
func (l *load) serve(ctx context.Context, streams int, args ...string) (*server, error) {
	all := append([]string{
		"serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--max-streams", fmt.Sprint(streams + 64),
		"--max-streams-per-client", fmt.Sprint(streams + 64), "--max-connections", fmt.Sprint(2*streams + 4096), "--max-rate", "1000000",
	}, args...)
	return start(ctx, l.binary, all...)
}

// end asks the server to end, or kills it, and returns what it ended with.
func (s *server) end(signal os.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended: %w: %.500s", err, s.log.String())
	}
	return nil
}

// kill ends it, whatever it does.
func (s *server) kill() { _ = s.end(os.Kill) } // it is no news that it was killed

// rss is how many bytes of memory the process has.
func (s *server) rss() (bytes float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("the process has no VmRSS")
}

// descriptors is how many the process has open.
func (s *server) descriptors() (int, error) {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	return len(open), err
}

// ticks is how much of the processors the process has used, in hundredths of a second.
func (s *server) ticks() (n int, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the process has no times")
	}
	for _, f := range fields[11:13] {
		k, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// settle returns when the process has nothing to do any more.
func (s *server) settle(ctx context.Context) error {
	last := -1
	return until(ctx, 30*time.Second, func() (bool, error) {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return false, err
		}
		now, err := s.ticks()
		quiet := last >= 0 && now-last <= 1
		last = now
		return quiet, err
	})
}

// metric reads one that has no labels.
func (s *server) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// until asks again and again until ok, or patience is over; then it returns what is said last.
func until(ctx context.Context, patience time.Duration, ok func() (bool, error)) error {
	late := time.Now().Add(patience)
	for {
		is, err := ok()
		if is {
			return nil
		}
		if time.Now().After(late) {
			return errors.Join(fmt.Errorf("not within %v", patience), err)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(long):
		return nil
	}
}
