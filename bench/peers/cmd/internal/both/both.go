// Package both is what the peers' commands of bench/load have in common: each is a server in one process, and its clients in another.
//
//	natsfan serve                        prints the URL, and serves until it is asked to end
//	natsfan drive URL <work.json         does a fan.Work with it, and prints fan.Figures
package both

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// A Peer is a server that gives every event to every client.
type Peer struct {
	Module string // whose version is told

	// Serve serves on loopback until ctx is over. It calls ready with its URL.
	Serve func(ctx context.Context, ready func(url string)) error

	// Come has so many clients join group 0 of the crowd, and returns when all are subscribed. send sends events to all of them, in order;
	// leave has all go and waits for them.
	Come func(ctx context.Context, url string, c *fan.Crowd, clients int) (send func(context.Context, [][]byte) error, leave func(), err error)
}

// Main is the command.
func Main(p Peer) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := Run(ctx, p, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run is Main without the process.
func Run(ctx context.Context, p Peer, args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return p.Serve(ctx, func(url string) { fmt.Fprintln(out, url) })
	case len(args) == 2 && args[0] == "drive":
		return p.drive(ctx, args[1], in, out)
	}
	return errors.New("want serve, or drive URL")
}

func (p Peer) drive(ctx context.Context, url string, in io.Reader, out io.Writer) error {
	var w fan.Work
	if err := json.NewDecoder(in).Decode(&w); err != nil {
		return fmt.Errorf("the work: %w", err)
	}
	c := fan.NewCrowd(1)
	send, leave, err := p.Come(ctx, url, c, w.Clients)
	if err != nil {
		return err
	}
	defer leave()
	f, err := w.Do(ctx, c, send)
	if err != nil {
		return err
	}
	f.Version = p.version()
	return json.NewEncoder(out).Encode(f)
}

func (p Peer) version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == p.Module {
				return m.Version
			}
		}
	}
	return "unknown"
}
