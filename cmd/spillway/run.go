package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdio is what a command reads and writes; tests put their own in.
type stdio struct {
	in       io.Reader
	out, err io.Writer
	coloured bool              // out may have colours: set by run
	screen   io.Writer         // out, where it is a terminal: set by run
	raw      io.Writer         // what out writes to: set by run
	told     func(next uint64) // of what a replay's log holds: all below next is acknowledged; nil but in tests
}

const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as a shell says of a command that Ctrl-C ended
)

// errInterrupted ends a command whose context was cancelled by a signal, when it has said what it did.
var errInterrupted = errors.New("interrupted")

// A usageError is a command line that means nothing: exit 2.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// run is the whole program. What goes wrong is one line on stderr.
func run(ctx context.Context, args []string, std stdio) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	std.screen, std.coloured = terminal(std.out)
	std.raw = std.out
	out := bufio.NewWriter(std.out)
	std.out = out

	started := false // from here on errors are no longer the command line's
	root := newRoot(std, &started)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if flush := out.Flush(); err == nil && flush != nil && !errors.Is(flush, syscall.EPIPE) {
		err = flush
	}
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, syscall.EPIPE) && !errors.Is(err, errInterrupted):
		return exitOK // whoever reads has seen enough
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(std.err, "spillway: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(std.err, "spillway: %s\n", oneLine(err.Error()))
	if errors.As(err, &usage) || !started {
		return exitUsage
	}
	return exitFailure
}

// oneLine keeps an error to its line, whatever text it quotes.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func newRoot(std stdio, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "spillway",
		Short: "event fan-out that never makes the writer wait",
		Long: `Spillway offers each event to the subscriptions it concerns, and prunes those that cannot take it.
Every flag has an environment variable: --some-flag is SPILLWAY_SOME_FLAG. Colours are for terminals, and NO_COLOR takes them away.

It exits with 0 when all went well, or whoever reads its output has seen enough; with 1 when something failed, which is one line on
standard error; with 2 when the command line means nothing; with 130 when Ctrl-C or SIGTERM ended it, though serve ends well by those.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("which command? try spillway help")
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			*started = true
			return nil
		},
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.AddCommand(newServe(std), newPublish(std), newWatch(std), newTop(std))
	root.AddCommand(newReplay(std), newFollow(std), newLog(std), newBench(std), newVersion(std))
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	must(err)
	completion.RunE = func(*cobra.Command, []string) error {
		return usagef("which shell? bash, zsh or fish")
	}
	untested, _, err := root.Find([]string{"completion", "powershell"})
	must(err)
	completion.RemoveCommand(untested)
	return root
}

// must is for errors that are this program's own.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fromEnvironment sets each flag that the command line has not from its variable, if there is one.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := "SPILLWAY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = usagef("%s=%q: %w", name, value, e)
		}
	})
	return err
}
