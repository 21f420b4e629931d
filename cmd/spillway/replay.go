package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A replay is the command's flags.
type replay struct {
	git         string
	format      string
	regions     []string
	subscribers int
	seed        uint64
	capacity    int
	stuck       int
	writers     int
	adapter     string
	pace        string
	metrics     string
	log         string
	resume      bool
	sync        string
	skipBad     bool
	all         bool
	asJSON      bool
}

func newReplay(std stdio) *cobra.Command {
	var o replay
	cmd := &cobra.Command{
		Use:   "replay FILE | - | --git DIR",
		Short: "fan a history out to many regions, and account for every event",
		Long: `Replay reads a history of events, fans it out to many subscriptions, and counts afterwards, by each region's
own test of every event, whether everything that matched was received, held or missed.

FILE holds a JSON object a line, plain or gzip; - is standard input. --git DIR reads the history of any
repository, a shallow or bare one too. There are two formats:

  spillway  {"entity","scope","kind":"0x1:0x002","lane","time","payload"}; the last three may be absent;
            a payload that is a string is its text, any other its JSON. What "spillway log dump" adds is read, too
  git       {"time","repo","commit","parents","op","path"}: one line for each path that a commit names

With --log the events are appended to a log in a folder, and those who read follow it: they are pushed events while they
keep up, and read the rest from the log. Whoever is pruned misses nothing. Killed, it goes on with --resume.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			picked, err := o.check(cmd, args)
			if err != nil {
				return usageError{err}
			}
			return o.run(cmd.Context(), std, args, picked)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.git, "git", "", "replay the history of the repository in this folder")
	f.StringVar(&o.format, "format", "auto", "auto, spillway or git; auto looks at the first line")
	f.StringArrayVar(&o.regions, "region", nil, "subscribe to this region; may be given more than once")
	f.IntVar(&o.subscribers, "subscribers", 1000, "pick so many distinct regions from the data")
	f.Uint64Var(&o.seed, "seed", 1, "equal seeds pick equal regions")
	f.StringVar(&o.adapter, "adapter", "channel", strings.Join(adapters, ", ")+"; mixed deals them out in turn")
	f.IntVar(&o.capacity, "capacity", 1024, "events that a subscription holds; latest holds one for each coordinate")
	f.IntVar(&o.stuck, "stuck", 0, "so many subscriptions never read")
	f.IntVar(&o.writers, "writers", 1, "goroutines that broadcast")
	f.StringVar(&o.pace, "pace", "auto", "auto: the input waits for healthy readers; none; or events a second")
	f.StringVar(&o.log, "log", "", "append to a log in this folder, and have those who read follow it: channel, ring, multicast")
	f.BoolVar(&o.resume, "resume", false, "go on where the log ends")
	f.StringVar(&o.sync, "sync", "each", "when the log is on the disk: each append, none, or every so often, as 10ms")
	f.StringVar(&o.metrics, "metrics", "", "serve /metrics and /debug at this address while it runs; :PORT is on this machine alone")
	f.BoolVar(&o.skipBad, "skip-bad", false, "go past events that can't be understood; name and count them")
	f.BoolVar(&o.all, "all", false, "show every region in the table")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON document instead of the table")
	return cmd
}

// buffers bounds what all channels together may take.
const buffers = int64(8 << 30)

// check looks whether the flags make sense together, and parses the regions.
func (o *replay) check(cmd *cobra.Command, args []string) ([]pick, error) {
	if (len(args) == 1) == (o.git != "") {
		return nil, errors.New("give either a file (- for standard input) or --git DIR")
	}
	if o.git != "" && o.format != "auto" {
		return nil, errors.New("--format is for files; --git has its own")
	}
	if !slices.Contains([]string{"auto", "spillway", "git"}, o.format) {
		return nil, fmt.Errorf("--format %q is none of auto, spillway, git", o.format)
	}
	if len(o.regions) > 0 && cmd.Flags().Changed("subscribers") {
		return nil, errors.New("--region names the regions and --subscribers has them picked: give one of the two")
	}
	if _, err := parsePace(o.pace); err != nil {
		return nil, err
	}
	if o.adapter != mixed && !slices.Contains(adapters, o.adapter) {
		return nil, fmt.Errorf("--adapter %q is none of %s, mixed", o.adapter, strings.Join(adapters, ", "))
	}
	if err := o.checkLog(cmd); err != nil {
		return nil, err
	}
	if o.metrics != "" {
		if _, err := listenAt(cmd.Context(), o.metrics); err != nil {
			return nil, err
		}
	}
	picks := make([]pick, len(o.regions))
	for i, text := range o.regions {
		r, err := region.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("--region %q: %w", text, err)
		}
		if !r.Clock.IsZero() {
			return nil, fmt.Errorf("--region %q: %w", text, core.ErrLiveClock)
		}
		picks[i].region = r
	}
	if len(picks) > 0 {
		o.subscribers = len(picks)
	}
	switch {
	case o.subscribers < 1:
		return nil, fmt.Errorf("--subscribers %d: want one at least", o.subscribers)
	case o.capacity < 1:
		return nil, fmt.Errorf("--capacity %d: want one at least", o.capacity)
	case o.writers < 1 || o.writers > 10_000:
		return nil, fmt.Errorf("--writers %d: want 1 to 10000", o.writers)
	case o.stuck < 0 || o.stuck > o.subscribers:
		return nil, fmt.Errorf("--stuck %d: want 0 to %d, the number of subscriptions", o.stuck, o.subscribers)
	}
	return picks, o.fits(max(1, len(picks)))
}

// checkLog looks at the flags of a log.
func (o *replay) checkLog(cmd *cobra.Command) error {
	if o.log == "" {
		if o.resume || cmd.Flags().Changed("sync") {
			return errors.New("--resume and --sync are for a log: give --log DIR")
		}
		return nil
	}
	if _, err := parseSync(o.sync); err != nil {
		return err
	}
	if o.adapter != mixed && !slices.Contains(taps, o.adapter) {
		return fmt.Errorf("--adapter %s can't be followed: who follows a log pulls, and gets every event; with --log it is one of %s, mixed",
			o.adapter, strings.Join(taps, ", "))
	}
	if o.writers > 1 {
		return fmt.Errorf("--writers %d: a log is appended to in the order of the input, by one", o.writers)
	}
	return nil
}

// fits looks whether the buffers of so many subscriptions are too much memory. How many there are is known when
// they are picked: the data may have fewer regions than were asked for.
func (o *replay) fits(subscriptions int) error {
	size := int64(8) // a pointer
	if o.log != "" {
		size = 160 // an event that was read from a log, less its payload
	}
	if int64(o.capacity) > buffers/size/int64(subscriptions) {
		return fmt.Errorf("--capacity %d for %d subscriptions would take more than %d GiB: make one of them less",
			o.capacity, subscriptions, buffers>>30)
	}
	return nil
}

func (o *replay) run(ctx context.Context, std stdio, args []string, picks []pick) error {
	if o.log != "" {
		if err := o.startable(); err != nil {
			return err
		}
	}
	start := time.Now()
	events, err := readAll(ctx, func() (input, error) { return o.open(ctx, std, args) }, o.skipBad, std.err)
	interrupted := errors.Is(err, errInterrupted)
	if err != nil && !interrupted {
		return err
	}
	if interrupted && o.log != "" {
		return err // of a part of the input no log is begun
	}
	if len(events) == 0 && !interrupted {
		return fmt.Errorf("%s: no events", o.name(args))
	}
	if len(picks) == 0 {
		picks = pickRegions(events, o.subscribers, o.seed)
		if err := o.fits(len(picks)); err != nil {
			return usageError{err}
		}
		if len(picks) < o.subscribers && !interrupted {
			notes := std.out
			if o.asJSON {
				notes = std.err
			}
			fmt.Fprintf(notes, "spillway: the data has %d distinct regions, fewer than %d: subscribed to all\n", len(picks), o.subscribers)
		}
	}
	step, finished := progress(std.err, len(events))
	var done fanned
	if o.log == "" {
		done, err = o.fanOut(ctx, events, picks, step, std.err)
	} else {
		done, err = o.throughLog(ctx, std, events, picks, step)
	}
	finished()
	if err != nil {
		return err
	}
	ended := time.Now()
	if done.log != nil {
		ended = done.log.ended
	}
	took := ended.Sub(start)
	start = time.Now()
	tallies, wrong := newCount(events[:done.fed], done.begins).all(done.readers)
	r := newReport(done.fed, took, time.Since(start), wrong == nil, done.readers, tallies, done.log)
	if r.Log != nil && r.Log.wrong() != nil {
		r.Conserved = false
	}
	if o.asJSON {
		err = r.writeJSON(std.out)
	} else {
		err = r.writeTable(std.out, o.all)
	}
	switch {
	case wrong != nil: // before all: whoever reads no table must learn of it too
		return fmt.Errorf("conserved: no: %w", wrong)
	case r.Log != nil && r.Log.wrong() != nil:
		return r.Log.wrong()
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errInterrupted
	}
	return nil
}

// startable tells why the folder of the log won't do; nil where it will.
func (o *replay) startable() error {
	empty, err := emptyFolder(o.log)
	if err != nil || empty {
		return err
	}
	if !o.resume {
		return fmt.Errorf("%s: is not empty: go on with the log in it with --resume, or give --log another folder", o.log)
	}
	return nil
}

func (o *replay) name(args []string) string {
	switch {
	case o.git != "":
		return o.git
	case args[0] == "-":
		return "standard input"
	}
	return args[0]
}

func (o *replay) open(ctx context.Context, std stdio, args []string) (input, error) {
	if o.git != "" {
		return openGitLog(ctx, o.git)
	}
	s, err := openSource(args[0], std.in)
	if err != nil {
		return nil, err
	}
	return &lineInput{source: s, format: o.format}, nil
}
