package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// An eventLine is an event of a log as a line of JSON: what an input of the format spillway says, and what the log has added. Replayed into
// another log, it is the same event. Its JSON is a promise to scripts.
type eventLine struct {
	Sequence    uint64  `json:"sequence"`
	ID          string  `json:"id"`
	Correlation string  `json:"correlation,omitempty"`
	Causation   string  `json:"causation,omitempty"`
	Entity      string  `json:"entity"`
	Scope       string  `json:"scope"`
	Kind        string  `json:"kind"`
	Lane        uint32  `json:"lane"`
	Depth       uint32  `json:"depth"`
	Time        uint64  `json:"time"`
	Clock       uint32  `json:"clock"` // the entity's
	WallMS      uint64  `json:"wall_ms"`
	Counter     uint16  `json:"counter"`
	Payload     *string `json:"payload,omitempty"`
	Bytes       []byte  `json:"payload_base64,omitempty"` // a payload that is no text
}

func newEventLine(e *core.Envelope) *eventLine {
	l := &eventLine{
		Sequence: e.Sequence, ID: e.EventID.String(),
		Entity: e.Coordinate.Entity(), Scope: e.Coordinate.Scope(), Kind: e.Kind.String(),
		Lane: e.Position.Lane, Depth: e.Position.Depth, Time: e.Time,
		Clock: e.Position.Sequence, WallMS: e.Position.WallMS, Counter: e.Position.Counter,
	}
	if e.CorrelationID != (core.ID{}) {
		l.Correlation = e.CorrelationID.String()
	}
	if e.CausationID != (core.ID{}) {
		l.Causation = e.CausationID.String()
	}
	switch {
	case len(e.Payload) == 0:
	case utf8.Valid(e.Payload):
		text := string(e.Payload)
		l.Payload = &text
	default:
		l.Bytes = e.Payload
	}
	return l
}

// A lines is which events of a log are printed.
type lines struct {
	region string
	from   string
	limit  uint64
	name   string // of the place that is kept; empty: none
}

func (o *lines) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.region, "region", "*", "print the events of this region")
	f.StringVar(&o.from, "from", "start", "begin at start, at end, or at a sequence")
	f.Bool("json", true, "a JSON object a line; there is no other form")
	f.Uint64Var(&o.limit, "limit", 0, "print so many at most; 0 is any number")
}

// check parses the flags.
func (o *lines) check() (region.Region, cursor.Start, error) {
	r, err := region.Parse(o.region)
	if err != nil {
		return r, cursor.Start{}, usagef("--region %q: %w", o.region, err)
	}
	switch o.from {
	case "start":
		return r, cursor.FromStart(), nil
	case "end":
		return r, cursor.FromEnd(), nil
	}
	seq, err := strconv.ParseUint(o.from, 10, 64)
	if err != nil {
		return r, cursor.Start{}, usagef("--from %q is none of start, end, or a sequence", o.from)
	}
	return r, cursor.From(seq), nil
}

// command returns what a command runs that prints them.
func (o *lines) command(std stdio) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, from, err := o.check()
		if err != nil {
			return err
		}
		return withLog(args[0], disklog.Options{ReadOnly: o.name == ""}, std, func(log *disklog.Log) error {
			return o.print(cmd.Context(), std, args[0], log, r, from)
		})
	}
}

func newLogDump(std stdio) *cobra.Command {
	var o lines
	cmd := &cobra.Command{
		Use:   "dump DIR",
		Short: "print the events of a log, a JSON object a line",
		Long: `Dump prints the events of a log, a JSON object a line. spillway replay reads such lines: replayed into another log they
are the same events, with the same hash. "sequence", "clock", "wall_ms" and "counter" are the log's own, and made anew there.`,
		Args: cobra.ExactArgs(1),
		RunE: o.command(std),
	}
	o.flags(cmd)
	return cmd
}

func newFollow(std stdio) *cobra.Command {
	var o lines
	cmd := &cobra.Command{
		Use:   "follow DIR",
		Short: "print the events of a region in a log, from a place on",
		Long: `Follow prints the events of a region, a JSON object a line, from a place to the end of the log in a folder. It doesn't wait
there: one process at a time has a log open, so nobody else can append.

With --name it keeps its place under that name, in DIR/checkpoints, and goes on there the next time: --from is only for the
first. It is saved each 1,024 events when they are printed, and at the end, also on Ctrl-C. Whoever is killed in between prints again, the
next time, what came since the last save; nothing is passed over. A name belongs to the log and the region that it was first used
with. Where the events at the place have been dropped meanwhile, that is an error: take another name.`,
		Args: cobra.ExactArgs(1),
	}
	lines := o.command(std)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("name") {
			if err := cursor.CheckName(o.name); err != nil {
				return usagef("--name %q: %w", o.name, err)
			}
		}
		return lines(cmd, args)
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.name, "name", "", "keep the place under this name, and go on there the next time")
	return cmd
}

var errEnough = errors.New("so many were asked for")

// print prints events of a log, up to its end. The log is dir's.
func (o *lines) print(ctx context.Context, std stdio, dir string, log cursor.Log, r region.Region, from cursor.Start) error {
	e := json.NewEncoder(std.out)
	e.SetEscapeHTML(false)
	line := func(event *core.Envelope) error { return e.Encode(newEventLine(event)) }
	var err error
	if o.name != "" {
		err = o.goOn(ctx, std, dir, log, r, from, line)
	} else {
		left := o.limit
		err = eachEvent(ctx, log, r, from, func(event *core.Envelope) error {
			if err := line(event); err != nil {
				return err
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
	}
	switch {
	case errors.Is(err, errEnough):
		return nil
	case ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))):
		return errInterrupted
	}
	return err
}

// goOn prints from where the place of that name is.
func (o *lines) goOn(
	ctx context.Context, std stdio, dir string, log cursor.Log, r region.Region, from cursor.Start, line func(*core.Envelope) error,
) error {
	b, err := openBookmark(ctx, dir, o.name, log, r, from)
	if err != nil {
		return err
	}
	return b.each(ctx, log, r, o.limit, line, func() error {
		if w, buffered := std.out.(interface{ Flush() error }); buffered {
			return w.Flush()
		}
		return nil
	})
}
