package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/client"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A publishing is the command's flags.
type publishing struct {
	remote
	git     string
	kind    string
	payload string
	lane    uint32
	id      string
	expect  uint32
	format  string
	retry   time.Duration
	asJSON  bool

	expected bool // expect was given
}

func newPublish(std stdio) *cobra.Command {
	var o publishing
	cmd := &cobra.Command{
		Use:   "publish ENTITY@SCOPE --kind KIND | - | --git DIR",
		Short: "send events to a server",
		Long: `Publish sends events to spillway serve, and says how many are in its log, and where:

  spillway publish alice@shop --kind 0x1:0x001 --payload '{"total":12}'
  spillway publish - <events.jsonl      a JSON object a line, as spillway replay reads them; gzip, too
  spillway publish --git .              the history of a repository

Each event goes under an id: its own, or one that is made here, and of a history one that is the same the next time. Where no
answer comes, or the server is busy or stopping, the same is sent again for as long as --retry says; the server has each
id once, and so nothing is doubled. --expect is the clock that the entity has to be at: else nothing is sent, and that is an error.
A line may have "expect", too.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.expected = cmd.Flags().Changed("expect")
			if err := o.check(cmd, args); err != nil {
				return usageError{err}
			}
			return o.run(cmd.Context(), std, args)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.git, "git", "", "send the history of the repository in this folder")
	f.StringVar(&o.kind, "kind", "", "the event's kind, such as 0x1:0x001")
	f.StringVar(&o.payload, "payload", "", "the event's payload, as it stands")
	f.Uint32Var(&o.lane, "lane", 0, "the event's lane")
	f.StringVar(&o.id, "id", "", "the event's id, 32 hexadecimal digits: sent again under it, it is there once; without it one is made")
	f.Uint32Var(&o.expect, "expect", 0, "the clock that the entity must be at")
	f.StringVar(&o.format, "format", "auto", "of standard input: auto, spillway or git; auto looks at the first line")
	f.DurationVar(&o.retry, "retry", time.Minute, "how long to try again where there is no answer; 0 is not at all")
	f.BoolVar(&o.asJSON, "json", false, "print what is said as JSON")
	return cmd
}

// ofOne are the flags of a single event.
var ofOne = []string{"kind", "payload", "lane", "id", "expect"}

func (o *publishing) check(cmd *cobra.Command, args []string) error {
	one := len(args) == 1 && args[0] != "-"
	switch {
	case (len(args) == 1) == (o.git != ""):
		return errors.New("give an event's ENTITY@SCOPE, or - for standard input, or --git DIR")
	case one && o.kind == "":
		return errors.New("an event has a kind: give --kind, such as 0x1:0x001")
	case !slices.Contains([]string{"auto", "spillway", "git"}, o.format):
		return fmt.Errorf("--format %q is none of auto, spillway, git", o.format)
	case o.format != "auto" && (one || o.git != ""):
		return errors.New("--format is for standard input")
	case o.retry < 0:
		return fmt.Errorf("--retry %v: want no time or more", o.retry)
	}
	for _, name := range ofOne {
		if !one && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for one event: give its ENTITY@SCOPE", name)
		}
	}
	return nil
}

// event returns the event that the arguments say.
func (o *publishing) event(name string) (e client.Event, err error) {
	entity, scope, ok := strings.Cut(name, "@")
	if !ok {
		return e, fmt.Errorf("%q is no ENTITY@SCOPE, such as alice@shop", name)
	}
	if e.Coordinate, err = region.NewCoordinate(entity, scope); err != nil {
		return e, err
	}
	if e.Kind, err = region.ParseKind(o.kind); err != nil {
		return e, fmt.Errorf("--kind %q: %w", o.kind, err)
	}
	l := spillwayLine{ID: o.id}
	e.EventID = cursor.NewID()
	if err := l.ids(&e.Envelope); err != nil {
		return e, err
	}
	if o.id == "" { // or the same command again would be another event of the same id
		e.Time = uint64(max(0, time.Now().UnixMilli()))
	}
	e.Position.Lane = o.lane
	e.Payload = []byte(o.payload)
	if o.expected {
		e.Expect = &o.expect
	}
	return e, nil
}

func (o *publishing) run(ctx context.Context, std stdio, args []string) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	patience := client.Retries{For: o.retry, Waiting: func(cause error, d time.Duration) {
		fmt.Fprintf(std.err, "spillway: %s; again in %v\n", oneLine(cause.Error()), d.Round(100*time.Millisecond))
	}}
	var receipt client.Receipt
	if len(args) == 1 && args[0] != "-" {
		var e client.Event
		if e, err = o.event(args[0]); err != nil {
			return usageError{err}
		}
		receipt, err = c.Publish(ctx, []client.Event{e}, patience)
	} else {
		in := &outgoing{}
		if in.next, in.close, err = o.open(ctx, std); err != nil {
			return err
		}
		receipt, err = in.send(ctx, c, patience)
	}
	if ctx.Err() != nil {
		err = errInterrupted
	}
	return errors.Join(o.say(std.out, receipt, err), err)
}

// open returns what reads the events.
func (o *publishing) open(ctx context.Context, std stdio) (next func() (client.Event, error), stop func() error, err error) {
	if o.git != "" {
		in, err := openGitLog(ctx, o.git)
		if err != nil {
			return nil, nil, err
		}
		in.decoder.newID = gitID
		return func() (client.Event, error) {
			e, err := in.next()
			if err != nil {
				return client.Event{}, err
			}
			return client.Event{Envelope: *e, Where: o.git}, nil
		}, in.close, nil
	}
	s, err := openSource("-", std.in)
	if err != nil {
		return nil, nil, err
	}
	lines := &eventLines{source: s, format: o.format}
	return lines.next, s.close, nil
}

// say prints what is in the log. With --json that is JSON whatever went wrong.
func (o *publishing) say(w io.Writer, a client.Receipt, err error) error {
	if o.asJSON {
		said := struct {
			client.Receipt
			Error string `json:"error,omitempty"`
		}{Receipt: a}
		if err != nil {
			said.Error = oneLine(err.Error())
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(said)
	}
	switch {
	case a.Accepted == 0 && err != nil:
		return nil
	case a.First == nil || a.Last == nil:
		_, err = fmt.Fprintf(w, "accepted %d\n", a.Accepted)
	default:
		_, err = fmt.Fprintf(w, "accepted %d, first %d, last %d\n", a.Accepted, *a.First, *a.Last)
	}
	return err
}
