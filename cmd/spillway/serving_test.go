package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A daemonChild is spillway serve in a process of its own.
type daemonChild struct {
	cmd *exec.Cmd
	url string
	err bytes.Buffer // what it logs; to be read when it has ended
}

// startServe starts one by a command, whose last words are the arguments; "" as the first is this program itself.
func startServe(t *testing.T, shell string, args ...string) *daemonChild {
	t.Helper()
	name, args := os.Args[0], append([]string{"serve"}, args...)
	if shell != "" {
		name, args = "sh", append([]string{"-c", shell + `; exec "$0" "$@"`, os.Args[0]}, args...)
	}
	c := &daemonChild{cmd: exec.CommandContext(t.Context(), name, args...)}
	c.cmd.Env = append(os.Environ(), telling+"=1")
	c.cmd.Stderr = &c.err
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = c.cmd.Wait()
		t.Fatalf("it says nothing: %v: %s", err, c.err.String())
	}
	c.url = strings.TrimSpace(line)
	return c
}

func (c *daemonChild) end(t *testing.T, signal os.Signal) error {
	t.Helper()
	if err := c.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return c.cmd.Wait()
}

// freeAddress is one where nobody listens just now. It is below those that a client's end of a connection is given: a server that is
// started again there finds it free.
func freeAddress() (string, error) {
	var config net.ListenConfig
	for {
		l, err := config.Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return "", err
		}
	}
}

func freeAddressOf(t *testing.T) string {
	t.Helper()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// A sender sends events of its own, in order, until each is acknowledged, whatever happens to the server.
type sender struct {
	n   int
	url string
	all int

	mu    sync.Mutex
	acked int // so many
}

func (s *sender) id(i int) core.ID {
	return core.ID{15: byte(s.n + 1), 14: byte(i), 13: byte(i >> 8)}
}

func (s *sender) event(i int) string {
	return fmt.Sprintf(`{"id":"%s","entity":"s%d","scope":"shop","kind":"0x1:0x001","payload":{"i":%d},"expect":%d}`+"\n", s.id(i), s.n, i, i)
}

func (s *sender) run(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := 0; i < s.all && ctx.Err() == nil; {
		n := min(1+i%7, s.all-i)
		var body strings.Builder
		for j := range n {
			body.WriteString(s.event(i + j))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/events", strings.NewReader(body.String()))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		res, err := client.Do(req)
		if err != nil {
			runtime.Gosched() // it is down; the same again
			continue
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		if res.StatusCode != http.StatusOK || !strings.Contains(string(text), fmt.Sprintf(`"accepted":%d,`, n)) {
			return fmt.Errorf("event %d: %s %s", i, res.Status, text)
		}
		i += n
		s.mu.Lock()
		s.acked = i
		s.mu.Unlock()
	}
	return context.Cause(ctx)
}

func (s *sender) acknowledged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// TestServeKilled: the server is killed and started again, again and again, while some send and one watches. What was acknowledged is there, and
// whoever watches ends with every event, once, in order.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes: not with -short")
	}
	const senders = 3
	each, kills := 700, 4
	if os.Getenv("SPILLWAY_EDGE") != "" { // as a step of .ci/run has it
		each, kills = 14_000, 80
	}
	dir, address := filepath.Join(t.TempDir(), "log"), freeAddressOf(t)
	url := "http://" + address
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	start := func() *daemonChild { return startServe(t, "", "--data", dir, "--listen", address) }
	c := start()

	var wg sync.WaitGroup
	var all []*sender
	for n := range senders {
		s := &sender{n: n, url: url, all: each}
		all = append(all, s)
		wg.Go(func() {
			if err := s.run(ctx); err != nil {
				t.Errorf("sender %d: %v", n, err)
			}
		})
	}
	seen := make(chan core.Envelope, senders*each)
	wg.Go(func() {
		defer close(seen)
		for e, err := range sse.Follow(ctx, url+"/v1/events", sse.FollowOptions{From: "start", Retry: time.Millisecond, MaxRetry: 50 * time.Millisecond}) {
			if err != nil {
				t.Errorf("watching: %v", err)
				return
			}
			if e.ID == "" {
				continue
			}
			envelope, err := e.Envelope()
			if err != nil {
				t.Errorf("watching: %v", err)
				return
			}
			if seen <- envelope; len(seen) == senders*each {
				return
			}
		}
	})
	sum := func() (n int) {
		for _, s := range all {
			n += s.acknowledged()
		}
		return n
	}
	for range kills {
		for until := sum() + 50 + rand.IntN(300); sum() < until && sum() < senders*each && ctx.Err() == nil; {
			runtime.Gosched()
		}
		if err := c.end(t, syscall.SIGKILL); err == nil {
			t.Error("it was not killed")
		}
		c = start()
	}
	wg.Wait()
	next := make([]int, senders)
	at := uint64(0)
	for e := range seen {
		var n, i int
		if _, err := fmt.Sscanf(e.Coordinate.Entity()+string(e.Payload), `s%d{"i":%d}`, &n, &i); err != nil || e.Sequence != at || i != next[n] || e.EventID != all[n].id(i) {
			t.Fatalf("at %d came %v of %s (%v); want event %d", at, e.EventID, e.Coordinate, err, next[max(n, 0)])
		}
		next[n]++
		at++
	}
	if at != uint64(senders*each) {
		t.Errorf("%d events were seen, want %d", at, senders*each)
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
	log, err := openLog(dir, disklog.Options{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	count := uint64(0)
	err = eachEvent(t.Context(), log, region.Region{}, cursor.FromStart(), func(*core.Envelope) error {
		count++
		return nil
	})
	if err := closeLog(log, err); err != nil || count != uint64(senders*each) {
		t.Errorf("the log has %d events (%v), want %d", count, err, senders*each)
	}
}

// TestH192NoDescriptors: when more clients come than there are descriptors for, the server waits, and goes on when they have gone; the log is as it was.
func TestH192NoDescriptors(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("starts a process with a limit of a shell's")
	}
	c := startServe(t, "ulimit -n 64", "--data", filepath.Join(t.TempDir(), "log"), "--listen", "127.0.0.1:0")
	post := func() (string, error) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/v1/events", strings.NewReader(`{"entity":"a","scope":"s","kind":"0x1:0x001"}`))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		return string(text), err
	}
	for range 3 {
		var d net.Dialer
		var held []net.Conn
		for range 100 {
			conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(c.url, "http://"))
			if err != nil {
				break // its backlog is full, too
			}
			held = append(held, conn)
		}
		if len(held) < 60 {
			t.Fatalf("only %d connections", len(held))
		}
		for _, conn := range held {
			_ = conn.Close()
		}
		until := time.Now().Add(time.Minute)
		for text, err := post(); !strings.Contains(text, `"accepted":1,`); text, err = post() {
			if time.Now().After(until) {
				t.Fatalf("it doesn't go on: %q, %v", text, err)
			}
		}
	}
	if err := c.end(t, os.Interrupt); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
}

// Systemd is told when the server can be asked, and when it stops.
func TestServeNotifies(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("starts a process, for systemd")
	}
	dir, err := os.MkdirTemp("", "n") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = systemd.Close() }()
	if err := systemd.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		b := make([]byte, 100)
		n, err := systemd.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	t.Setenv("NOTIFY_SOCKET", path)
	c := startServe(t, "", "--memory", "--listen", "127.0.0.1:0")
	if got := told(); got != "READY=1" {
		t.Errorf("got %q", got)
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
	if got := told(); got != "STOPPING=1" {
		t.Errorf("got %q", got)
	}
}
