package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A rival is another server: a command of the peers' module, which is its server in one process and its clients in another.
type rival struct {
	name, command string
	how           string // what its figures are of
}

var rivals = []rival{
	{"centrifuge", "centrifugefan", "WebSocket, JSON; at most once, no history"},
	{"nats-server", "natsfan", "core subscriptions, nats.go; at most once, nothing is kept"},
}

// runPeers has Spillway and others do the same work.
func runPeers(ctx context.Context, l *load, t *table) error {
	work := l.sizes.peers
	work.Clients = l.connections(work.Clients)
	t.title = fmt.Sprintf("Beside others: every event to %d clients", work.Clients)
	t.about = fmt.Sprintf(`Each server is a process, and so are its clients and who sends, together. First %d events of %d bytes a second, by a timetable that does not slip, for
%v: from when one was due until a client had it. Then blocks of %d, each sent when all clients have the one before, for %v: deliveries
a second. Every client checks that it gets every event once and in order.`, work.Rate, work.Bytes, work.Paced, work.Block, work.Fast)
	t.head = []string{"server", "version", "delivered p50", "p99", "max", "deliveries/s", "deliveries", "what it is"}
	for _, ours := range []struct {
		name, how string
		args      []string
	}{
		{"spillway serve --memory", "SSE, JSON; each client resumes where it was", []string{"--memory", "--retain-events", "20000"}},
		{"spillway serve --data", "the same from a log on the disk, synced before it is sent", []string{"--data", filepath.Join(l.dir, "peers")}},
	} {
		fmt.Fprintf(l.say, "load: %s\n", ours.name)
		f, err := l.ourFan(ctx, work, ours.args)
		if err != nil {
			return fmt.Errorf("%s: %w", ours.name, err)
		}
		fanRow(t, ours.name, ours.how, f)
	}
	for _, r := range rivals {
		fmt.Fprintf(l.say, "load: %s\n", r.name)
		binary, err := l.buildRival(ctx, r)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			t.row(r.name, "-", "-", "-", "-", "-", "-", "it can't be built here: "+firstLine(err))
			continue
		}
		f, err := r.fan(ctx, binary, work)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fanRow(t, r.name, r.how, f)
	}
	t.assert(true, "every client of every server above got every event, once and in order")
	return nil
}

func fanRow(t *table, name, how string, f fan.Figures) {
	t.row(name, f.Version, report.Duration(f.P50), report.Duration(f.P99), report.Duration(f.Max), report.Short(f.PerSecond), fmt.Sprint(f.Deliveries), how)
}

// ourFan has spillway serve do the work. Its clients are this process.
func (l *load) ourFan(ctx context.Context, work fan.Work, args []string) (f fan.Figures, err error) {
	s, err := l.serve(ctx, work.Clients, args...)
	if err != nil {
		return f, err
	}
	defer s.kill()
	c := fan.NewCrowd(1)
	cs, err := come(ctx, c, s.addr, work.Clients, 1)
	if err != nil {
		return f, err
	}
	defer cs.close()
	to := newSender(s.url)
	defer to.close()
	f, err = work.Do(ctx, c, func(ctx context.Context, events [][]byte) error {
		each := make([][]byte, len(events))
		for i, e := range events {
			each[i] = appendEvent(nil, "", "g0", e)
		}
		return to.send(ctx, appendArray(nil, each))
	})
	if err != nil {
		return f, err
	}
	f.Version = "this tree"
	cs.quit()
	return f, s.end(syscall.SIGTERM)
}

func (l *load) buildRival(ctx context.Context, r rival) (binary string, err error) {
	if binary, err = filepath.Abs(filepath.Join(l.dir, r.command)); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-C", l.peers, "-o", binary, "./cmd/"+r.command)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(strings.TrimSpace(string(out) + " " + err.Error()))
	}
	return binary, nil
}

// fan has the rival do the work.
func (r rival) fan(ctx context.Context, binary string, work fan.Work) (f fan.Figures, err error) {
	s, err := start(ctx, binary, "serve")
	if err != nil {
		return f, err
	}
	defer s.kill()
	text, err := json.Marshal(work)
	if err != nil {
		return f, err
	}
	var out, notes bytes.Buffer
	drive := exec.CommandContext(ctx, binary, "drive", s.url)
	drive.Stdin, drive.Stdout, drive.Stderr = bytes.NewReader(text), &out, &notes
	if err := drive.Run(); err != nil {
		return f, fmt.Errorf("%w: %s", err, strings.TrimSpace(notes.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		return f, err
	}
	return f, s.end(os.Interrupt)
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
