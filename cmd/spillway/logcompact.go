package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/cursor/disklog"
)

// A compaction is which events are to be dropped.
type compaction struct {
	before, keep uint64
	age          time.Duration
	asJSON       bool
}

func newLogCompact(std stdio) *cobra.Command {
	var o compaction
	cmd := &cobra.Command{
		Use:   "compact DIR",
		Short: "drop the oldest events of a log",
		Long: `Compact drops the oldest events of a log; what is left keeps its sequences. The room on the disk is given back by segments
of some 8,000 events, when the engine gets to it. With several flags, whatever one of them drops is dropped.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("before") && !cmd.Flags().Changed("keep") && !cmd.Flags().Changed("age") {
				return usageError{errors.New("what is to go? give --before SEQ, --keep N or --age TIME")}
			}
			if o.age < 0 {
				return usagef("--age %v: want 0 or more", o.age)
			}
			return withLog(args[0], disklog.Options{}, std, func(log *disklog.Log) error {
				return o.run(cmd, std, log)
			})
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&o.before, "before", 0, "drop the events below this sequence")
	f.Uint64Var(&o.keep, "keep", 0, "keep so many, the newest")
	f.DurationVar(&o.age, "age", 0, "drop what was appended longer ago, as 720h")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON document")
	return cmd
}

// A compacted is what was dropped. Its JSON is a promise to scripts.
type compacted struct {
	Dropped uint64 `json:"dropped"`
	First   uint64 `json:"first"`
	Next    uint64 `json:"next"`
}

func (o *compaction) run(cmd *cobra.Command, std stdio, log *disklog.Log) error {
	ctx := cmd.Context()
	was := log.Stats()
	first := max(was.First, o.before)
	if cmd.Flags().Changed("keep") {
		first = max(first, was.Next-min(o.keep, was.Next))
	}
	if cmd.Flags().Changed("age") {
		aged, err := firstSince(ctx, log, was.First, was.Next, time.Now().Add(-o.age))
		if err != nil {
			return err
		}
		first = max(first, aged)
	}
	if err := log.Compact(ctx, first); err != nil {
		return err
	}
	is := log.Stats()
	c := compacted{Dropped: is.First - was.First, First: is.First, Next: is.Next}
	if o.asJSON {
		return json.NewEncoder(std.out).Encode(c)
	}
	_, err := fmt.Fprintf(std.out, "dropped %d events; there are %d, from %d up to, not including, %d\n", c.Dropped, c.Next-c.First, c.First, c.Next)
	return err
}

// firstSince returns the first of the events from first to next that was appended at a time or later: the log's clock only
// goes forward.
func firstSince(ctx context.Context, log *disklog.Log, first, next uint64, since time.Time) (uint64, error) {
	var failed error
	n := sort.Search(int(next-first), func(i int) bool {
		e, err := eventAt(ctx, log, first+uint64(i))
		if err != nil {
			failed = errors.Join(failed, err)
		}
		return err != nil || int64(e.Position.WallMS) >= since.UnixMilli()
	})
	return first + uint64(n), failed
}
