package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A watching is the command's flags.
type watching struct {
	remote
	regions   []string
	from      string
	resume    string
	asJSON    bool
	template  string
	exec      string
	onFailure string
	count     uint64
}

func newWatch(std stdio) *cobra.Command {
	var o watching
	cmd := &cobra.Command{
		Use:   "watch [REGION ...]",
		Short: "print the events of a server as they come",
		Long: `Watch prints the events of regions as they come, each once, and goes on where it was when the server comes back:

  spillway watch 'entity=alice|scope=shop'
  spillway watch --from start --template '{{.Sequence}} {{.Entity}} {{.JSON.total}}'
  spillway watch --resume place.json --exec ./handle

Without a region it is every event. --template is a Go template with Sequence, ID, Entity, Scope, Kind, Lane, Depth, Time, Clock,
Correlation, Causation, Payload (text) and JSON (the payload's value). --exec runs a program for each event, by no shell, one
after the other: the event is on its standard input, as with --json, and in SPILLWAY_EVENT_SEQUENCE, _ID, _ENTITY, _SCOPE, _KIND,
_LANE, _TIME and _CLOCK. --resume keeps in a file what was printed, or what the program has ended well for, and goes on from
there. The event at which watch was killed may come a second time, or what was printed in the tenth of a second before.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := o.check(cmd, args)
			if err != nil {
				return usageError{err}
			}
			return o.run(cmd.Context(), std, p)
		},
		ValidArgsFunction: completeRegion,
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.regions, "region", nil, "watch this region, too; may be given more than once")
	f.StringVar(&o.from, "from", "end", "begin at start, at end, at a sequence, or behind an id")
	f.StringVar(&o.resume, "resume", "", "keep the place in this file, and go on from there")
	f.BoolVar(&o.asJSON, "json", false, "print a JSON object a line")
	f.StringVar(&o.template, "template", "", "print this Go template of each event")
	f.StringVar(&o.exec, "exec", "", "run this program for each event, instead of printing it")
	f.StringVar(&o.onFailure, "on-failure", "stop", "when the program fails: stop, or note it and go on")
	f.Uint64Var(&o.count, "count", 0, "end after so many events; 0 is never")
	must(cmd.RegisterFlagCompletionFunc("region", completeRegion))
	must(cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"start", "end"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("on-failure", cobra.FixedCompletions([]string{"stop", "note"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// completeRegion offers the beginnings of a region.
func completeRegion(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	before := toComplete[:strings.LastIndexByte(toComplete, '|')+1]
	var all []string
	for _, field := range []string{"entity=", "scope=", "kind=", "category=", "lane="} {
		if strings.HasPrefix(before+field, toComplete) && !strings.Contains("|"+before, "|"+field) {
			all = append(all, before+field)
		}
	}
	return all, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// A watchPlan is how the events are taken, as the flags have it.
type watchPlan struct {
	regions []string // canonical
	print   func(io.Writer, *watchedEvent) error
	program string
}

func (o *watching) check(cmd *cobra.Command, args []string) (p watchPlan, err error) {
	for _, text := range append(args, o.regions...) {
		r, err := region.Parse(text)
		if err != nil {
			return p, fmt.Errorf("the region %q: %w", text, err)
		}
		if !r.Clock.IsZero() {
			return p, fmt.Errorf("the region %q: %w", text, core.ErrLiveClock)
		}
		p.regions = append(p.regions, r.String())
	}
	forms := 0
	for _, given := range []bool{o.asJSON, o.template != "", o.exec != ""} {
		if given {
			forms++
		}
	}
	switch {
	case forms > 1:
		return p, errors.New("give one of --json, --template and --exec")
	case o.onFailure != "stop" && o.onFailure != "note":
		return p, fmt.Errorf("--on-failure %q is none of stop, note", o.onFailure)
	case o.exec == "" && cmd.Flags().Changed("on-failure"):
		return p, errors.New("--on-failure is for a program: give --exec")
	case o.template != "":
		p.print, err = templated(o.template)
	case o.asJSON:
		p.print = printLine
	case o.exec != "":
		if p.program, err = exec.LookPath(o.exec); err != nil {
			err = fmt.Errorf("--exec: %w", err)
		}
	}
	return p, err
}

// terminal returns what is written to, where that is a terminal that can do more than print, and tells whether it may have colours.
func terminal(w io.Writer) (screen io.Writer, coloured bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, false
	}
	return f, os.Getenv("NO_COLOR") == ""
}

func (o *watching) run(ctx context.Context, std stdio, p watchPlan) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if p.print == nil {
		p.print = pretty(std.coloured)
	}
	place, err := openPlace(o.resume, p.regions)
	if err != nil {
		return err
	}
	ctx, stop := untilUnread(ctx, std.raw)
	defer stop()
	follow := sse.FollowOptions{
		Client: c.HTTP(), Header: c.Header(), After: place.After, From: cmp.Or(place.From, o.from), Gaps: true,
		MaxEvent: 64 << 20,                                       // what the largest payload that a log takes, and its names, are as JSON
		Progress: func(from string) { _ = place.pass("", from) }, // an error comes again with the next event, and at the end
		Retrying: func(cause error, wait time.Duration) {
			fmt.Fprintf(std.err, "spillway: %s; again in %v\n", said(cause), wait.Round(100*time.Millisecond))
		},
	}
	return errors.Join(o.follow(ctx, std, p, place, sse.Follow(ctx, c.URL("/v1/events", url.Values{"region": p.regions}), follow)), place.flush())
}

// follow takes the events as they come, until there are enough, or no more come.
func (o *watching) follow(ctx context.Context, std stdio, p watchPlan, place *place, events iter.Seq2[sse.Event, error]) error {
	left := o.count
	for e, err := range events {
		switch {
		case ctx.Err() != nil:
			return stopped(ctx)
		case err != nil:
			return errors.New(said(err))
		case e.Name == sse.EventGap:
			tellGap(std.err, e.Data)
			continue
		case e.ID == "":
			continue // a notice
		}
		if err := o.take(ctx, std, p, &e); err != nil {
			return err
		}
		err = place.pass(e.ID, "")
		if p.program != "" && err == nil {
			err = place.flush() // it is run a second time for as few as may be
		}
		if err != nil {
			return err
		}
		if left--; left == 0 {
			return nil
		}
	}
	return nil
}

// stopped is why a command's context is over: nobody reads any more, or a signal came.
func stopped(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), syscall.EPIPE) {
		return syscall.EPIPE
	}
	return errInterrupted
}

// said is what is wrong, for people; a server may have had a hand in it.
func said(err error) string { return safe(oneLine(strings.TrimPrefix(err.Error(), "spillway/sse: "))) }

// take prints an event, or runs the program for it.
func (o *watching) take(ctx context.Context, std stdio, p watchPlan, e *sse.Event) error {
	envelope, err := e.Envelope()
	if err != nil {
		return fmt.Errorf("the server sends what is no event: %s", said(err))
	}
	event := newWatchedEvent(&envelope, e.Data)
	if p.program == "" {
		if err := p.print(std.out, event); err != nil {
			return err
		}
		return flush(std.out) // before its place is saved, and for whoever waits at the end of a pipe
	}
	err = event.execute(ctx, p.program, std)
	switch {
	case ctx.Err() != nil:
		return stopped(ctx)
	case err == nil:
		return nil
	case o.onFailure == "note":
		fmt.Fprintf(std.err, "spillway: event %d: %s\n", event.Sequence, oneLine(err.Error()))
		return nil
	}
	return fmt.Errorf("event %d: %w", event.Sequence, err)
}

// flush writes what is buffered.
func flush(w io.Writer) error {
	if f, ok := w.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// tellGap says what is gone for good.
func tellGap(w io.Writer, data []byte) {
	var gap struct{ Asked, Left uint64 }
	if err := json.Unmarshal(data, &gap); err != nil {
		fmt.Fprintln(w, "spillway: a gap: the log has dropped events before they were read")
		return
	}
	fmt.Fprintf(w, "spillway: a gap: the log has dropped events %d up to, not including, %d\n", gap.Asked, gap.Left)
}
