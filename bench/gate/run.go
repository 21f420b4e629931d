package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/regress"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// errShort ends a gate that some row did not pass. The table has said which.
var errShort = errors.New("a row falls short")

// A gate is the command's flags, and where it writes.
type gate struct {
	rows      []string
	asJSON    bool
	quick     bool
	peers     bool
	calibrate bool
	record    bool
	regress   bool
	long      bool
	selfcheck bool
	alone     bool
	round     time.Duration

	once func(ctx context.Context, binary string, row bench.Row, into regress.Samples) error // measures a row of a binary

	out, notes io.Writer
}

func run(ctx context.Context, args []string, out, notes io.Writer) int {
	g := &gate{once: measureOnce, out: out, notes: notes}
	started := false
	cmd := &cobra.Command{
		Use:           "gate",
		Short:         "measure every row beside its baseline, and fail where one falls short",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := g.chosen()
			if err != nil {
				return err
			}
			if g.long && !g.calibrate && !g.regress {
				return fmt.Errorf("--long goes with --calibrate or --regress")
			}
			started = true
			return g.run(cmd.Context(), rows)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&g.rows, "row", nil, "measure this row, or those of an ID: P5, P5/subs=1k; may be given more than once")
	f.BoolVar(&g.asJSON, "json", false, "print one JSON document instead of the table")
	f.BoolVar(&g.quick, "quick", false, "only rows that take seconds, and what is counted; one fails at 1.25 times its target, after three tries")
	f.DurationVar(&g.round, "time", 2*time.Second, "measure a row for so long, once it is set up")
	f.BoolVar(&g.peers, "peers", false, "build bench/peers and measure the rivals")
	f.BoolVar(&g.calibrate, "calibrate", false, "compare this tree with itself, and keep each row's noise in bench/baselines.json")
	f.BoolVar(&g.record, "record", false, "append the figures to bench/history.jsonl, and first baselines to bench/baselines.json")
	f.BoolVar(&g.regress, "regress", false, "compare with the commit that last changed bench/history.jsonl")
	f.BoolVar(&g.long, "long", false, "with --regress or --calibrate: the rows that a quick run leaves out")
	f.BoolVar(&g.selfcheck, "selfcheck", false, "apply each of bench/regress/*.patch, and expect it to be caught")
	f.BoolVar(&g.alone, "alone", false, "measure one row in this process, for a gate that is another")
	_ = f.MarkHidden("alone") // there is such a flag
	cmd.MarkFlagsMutuallyExclusive("peers", "calibrate", "record", "regress", "selfcheck")
	for _, flag := range []string{"peers", "calibrate", "regress", "selfcheck"} {
		cmd.MarkFlagsMutuallyExclusive(flag, "quick") // what a flag would not change it doesn't go with
		cmd.MarkFlagsMutuallyExclusive(flag, "time")
		if flag != "peers" {
			cmd.MarkFlagsMutuallyExclusive(flag, "json")
		}
	}
	cmd.MarkFlagsMutuallyExclusive("row", "peers")
	cmd.MarkFlagsMutuallyExclusive("row", "selfcheck")
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(notes)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(notes, "gate: interrupted")
	case !errors.Is(err, errShort):
		fmt.Fprintf(notes, "gate: %v\n", err)
	}
	if !started {
		return exitUsage
	}
	return exitFailure
}

// chosen returns the rows that the flags name.
func (g *gate) chosen() ([]bench.Row, error) {
	if g.round <= 0 {
		return nil, fmt.Errorf("--time %v: want more than nothing", g.round)
	}
	rows := bench.Rows()
	if len(g.rows) > 0 {
		rows = nil
		for _, name := range g.rows {
			named, err := bench.RowsOf(name)
			if err != nil {
				return nil, fmt.Errorf("--row: %w", err)
			}
			rows = append(rows, named...)
		}
	}
	var kept []bench.Row
	for _, r := range rows {
		twice := slices.ContainsFunc(kept, func(k bench.Row) bool { return k.Name() == r.Name() })
		if !twice && (!g.quick || r.Quick || r.Counted || len(g.rows) > 0) {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

func (g *gate) run(ctx context.Context, rows []bench.Row) error {
	switch {
	case g.alone:
		return g.measureAlone(rows[0])
	case g.peers:
		return g.runPeers(ctx)
	case g.calibrate:
		return g.runCalibrate(ctx)
	case g.regress:
		return g.runRegress(ctx)
	case g.selfcheck:
		return g.runSelfcheck(ctx)
	}
	return g.judge(ctx, rows)
}
