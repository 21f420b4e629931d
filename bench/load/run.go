package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// errBroken ends a run of which some assertion did not hold. The tables have said which.
var errBroken = errors.New("an assertion does not hold")

// A load is the command's flags, and what its parts share.
type load struct {
	out    string
	only   []string
	short  bool
	binary string // the server's; "" until it is built

	sizes sizes
	peers string // the folder of the peers' module
	dir   string // for what is written meanwhile

	say io.Writer // what goes on
}

// A part is one of the things that are measured.
type part struct {
	name string
	run  func(ctx context.Context, l *load, t *table) error
}

var parts = []part{
	{"crowd", runCrowd}, {"steady", runSteady}, {"restarts", runRestarts}, {"slow", runSlow}, {"peers", runPeers},
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func run(ctx context.Context, args []string, out, notes io.Writer) int {
	l := &load{say: notes, peers: filepath.Join("bench", "peers")}
	started := false
	cmd := &cobra.Command{
		Use:           "load",
		Short:         "load spillway serve with clients that stream, send, stop reading, come and go",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range l.only {
				if !slices.Contains(partNames(), name) {
					return fmt.Errorf("--only %q is none of %s", name, strings.Join(partNames(), ", "))
				}
			}
			started = true
			l.sizes = full
			if l.short {
				l.sizes = brief
			}
			return l.run(cmd.Context(), out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.out, "out", "", "write the tables to this Markdown page, too; of a page that is there, only the parts that run")
	f.StringArrayVar(&l.only, "only", nil, "run this part; may be given more than once: "+strings.Join(partNames(), ", "))
	f.BoolVar(&l.short, "short", false, "a little of each part")
	f.StringVar(&l.binary, "server", "", "the spillway to start; else it is built")
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(notes)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(notes, "load: interrupted")
	default:
		fmt.Fprintf(notes, "load: %v\n", err)
	}
	if !started {
		return exitUsage
	}
	return exitFailure
}

// run runs the parts. One that can't be run doesn't keep the others from it.
func (l *load) run(ctx context.Context, out io.Writer) (err error) {
	if l.dir, err = os.MkdirTemp("", "spillway-load"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if err := l.build(ctx); err != nil {
		return err
	}
	var errs []error
	for _, p := range parts {
		if len(l.only) > 0 && !slices.Contains(l.only, p.name) {
			continue
		}
		begun := time.Now()
		t := newTable(p.name, l.short)
		fmt.Fprintf(l.say, "load: %s\n", p.name)
		if err := p.run(ctx, l, t); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			t.assert(false, "the part runs: %v", err)
		}
		t.took = time.Since(begun)
		fmt.Fprintf(out, "%s\n", t)
		if l.out != "" {
			if err := t.writeInto(l.out); err != nil {
				return err
			}
		}
		if t.broken() {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, errBroken))
		}
	}
	return errors.Join(errs...)
}

// connections asks for room for so many connections on one side, and says how many there is room for.
func (l *load) connections(want int) int {
	const others = 256 // files, pipes and connections that are no client's
	have := raiseDescriptors(uint64(want + others))
	if have >= uint64(want+others) {
		return want
	}
	n := max(1, int(have)-others)
	fmt.Fprintf(l.say, "load: %d descriptors are all that this process may have: %d clients in place of %d\n", have, n, want)
	return n
}
