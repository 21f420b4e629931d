package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

func newLog(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "look into the log of a folder",
		Long: `Log looks into the log of a folder, which nobody else may have open meanwhile. But for compact nothing in it is changed, and a
folder that nobody can write to will do. A last write that was cut short by a crash is said and passed over, until somebody opens the log
to write; anything else that is not as it was written is an error.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("which command? try spillway help log")
		},
	}
	cmd.AddCommand(newLogStat(std), newLogVerify(std), newLogDump(std), newLogCompact(std))
	return cmd
}

// withLog opens the Log of a folder, and closes it when f has returned.
func withLog(dir string, o disklog.Options, std stdio, f func(*disklog.Log) error) error {
	log, err := openLog(dir, o, std.err)
	if err != nil {
		return err
	}
	return closeLog(log, f(log))
}

// A logStat is what there is to know of a log without reading all of it. Its JSON is a promise to scripts.
type logStat struct {
	ID       string `json:"id"`
	First    uint64 `json:"first"`
	Next     uint64 `json:"next"`
	Events   uint64 `json:"events"`
	Bytes    uint64 `json:"payload_bytes"`
	Disk     uint64 `json:"disk_bytes"`
	Entities uint64 `json:"entities"`
	Level    string `json:"level"`            // as it was opened for this; whoever writes chooses
	Oldest   string `json:"oldest,omitempty"` // when the first event that is kept was appended
	Newest   string `json:"newest,omitempty"` // and the last
	Cut      int64  `json:"cut_bytes"`        // of a last write that is incomplete
	CutFrom  string `json:"cut_file,omitempty"`
	MayLack  bool   `json:"may_lack_end"` // whoever wrote it last did not sync each append, and did not close it
}

func newLogStat(std stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stat DIR",
		Short: "say what a log holds",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLog(args[0], disklog.Options{ReadOnly: true}, std, func(log *disklog.Log) error {
				s, err := statOf(cmd.Context(), log)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(std.out).Encode(s)
				}
				s.writeTable(std.out)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func statOf(ctx context.Context, log *disklog.Log) (*logStat, error) {
	was := log.Stats()
	s := &logStat{
		ID: was.ID.String(), First: was.First, Next: was.Next, Events: was.Next - was.First,
		Bytes: was.Bytes, Disk: was.Disk, Entities: was.Entities, Level: cursor.EachGroup().String(),
		MayLack: was.Opened.MayLack,
	}
	if was.Opened.Cut {
		s.Cut, s.CutFrom = was.Opened.Bytes, was.Opened.Path
	}
	if s.Events == 0 {
		return s, nil
	}
	for _, end := range []struct {
		seq  uint64
		when *string
	}{{was.First, &s.Oldest}, {was.Next - 1, &s.Newest}} {
		e, err := eventAt(ctx, log, end.seq)
		if err != nil {
			return nil, err
		}
		*end.when = time.UnixMilli(int64(e.Position.WallMS)).UTC().Format(time.RFC3339Nano)
	}
	return s, nil
}

// eventAt reads one event.
func eventAt(ctx context.Context, log cursor.Log, seq uint64) (core.Envelope, error) {
	var one [1]core.Envelope
	n, _, err := log.Read(ctx, region.Region{}, seq, one[:])
	if err == nil && n == 0 {
		err = fmt.Errorf("event %d is not there", seq)
	}
	return one[0], err
}

func (s *logStat) writeTable(w io.Writer) {
	fmt.Fprintf(w, "log %s\n", s.ID)
	fmt.Fprintf(w, "%d events, from %d up to, not including, %d\n", s.Events, s.First, s.Next)
	if s.Events > 0 {
		fmt.Fprintf(w, "appended from %s to %s\n", s.Oldest, s.Newest)
	}
	fmt.Fprintf(w, "%d bytes of payload, %d on the disk\n", s.Bytes, s.Disk)
	fmt.Fprintf(w, "%d entities\n", s.Entities)
	fmt.Fprintf(w, "sync: %s, as it was opened for this; whoever writes chooses\n", s.Level)
	if s.CutFrom != "" {
		fmt.Fprintf(w, "cut: the last write is incomplete: %d bytes of %s at most\n", s.Cut, s.CutFrom)
	}
	if s.MayLack {
		fmt.Fprintln(w, mayLack)
	}
}

// mayLack is what is said of a log that may have lost its end.
const mayLack = "end: whoever wrote last did not sync each append, and did not close the log: what was appended last may be missing"

// A verification is what reading all of a log has shown. Its JSON is a promise to scripts.
type verification struct {
	ID     string `json:"id"`
	First  uint64 `json:"first"`
	Events uint64 `json:"events"`
	Hash   string `json:"hash"`

	MayLack bool `json:"may_lack_end"` // as log stat says it
}

func newLogVerify(std stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "read all of a log, and print the count and the hash of its events",
		Long: `Verify reads all of a log, its index too, and prints how many events it holds and their hash, as spillway replay --log
does: the xxhash64 that docs/formats/event-hash.md describes. It ends at the first thing that is not as it was written,
with its place.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLog(args[0], disklog.Options{ReadOnly: true}, std, func(log *disklog.Log) error {
				v, err := verify(cmd.Context(), log)
				switch {
				case err != nil && cmd.Context().Err() != nil:
					return errInterrupted
				case err != nil:
					return err
				case asJSON:
					return json.NewEncoder(std.out).Encode(v)
				}
				_, err = fmt.Fprintf(std.out, "log: %d events, hash %s; the first is %d\n", v.Events, v.Hash, v.First)
				if err == nil && v.MayLack {
					_, err = fmt.Fprintln(std.out, mayLack)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func verify(ctx context.Context, log *disklog.Log) (*verification, error) {
	h := newEventHash()
	err := log.Verify(ctx, func(e core.Envelope) error {
		h.add(&e)
		return nil
	})
	s := log.Stats()
	return &verification{ID: s.ID.String(), First: s.First, Events: h.count, Hash: h.String(), MayLack: s.Opened.MayLack}, err
}
