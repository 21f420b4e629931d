package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/bench"
	pages "github.com/spillwayhq/spillway/bench/report"
)

// parts are what a bench measures.
var parts = []string{"rows", "latency", "curves", "peers"}

// A benchmark is the command's flags.
type benchmark struct {
	rows  []string
	parts []string
	quick bool
	time  time.Duration
	out   []string
	from  string
	peers string
	alone string
}

func newBench(std stdio) *cobra.Command {
	var o benchmark
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "measure what Spillway costs on this machine, and write a page of it",
		Long: `Bench measures Spillway beside its baselines on this machine: the rows that the project is held to, how long events
take to readers, how figures grow with subscriptions, writers, bytes and depth, and other libraries. It writes a page with
tables and charts that needs no network and no script.

The file's name says what is written:

  .html  one self-contained page
  .md    a Markdown page and a folder of charts beside it; of a page that is there already only what lies between the
         comments <!-- spillway bench: PART --> is replaced
  .json  the figures, for --from

Other libraries are measured where there are go and Spillway's sources; elsewhere --peers takes a file that
"go run ./bench/gate --peers --json" has printed there.

Figures are worth something on a quiet machine only.`,
		Example: "  spillway bench --quick\n  spillway bench --row P1 --row P5/subs=1k --out p1.html\n  spillway bench --out figures.json --out docs/benchmarks.md",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.alone != "" {
				return o.runAlone(std)
			}
			rows, err := o.check(cmd)
			if err != nil {
				return usageError{err}
			}
			return o.run(cmd.Context(), std, rows)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.rows, "row", nil, "measure this row, or those of an ID, and nothing else: P5, P5/subs=1k; may be given more than once")
	f.StringSliceVar(&o.parts, "part", nil, "measure some parts only: "+strings.Join(parts, ", "))
	f.BoolVar(&o.quick, "quick", false, "the rows that take seconds, and less time for each: under four minutes on two cores")
	f.DurationVar(&o.time, "time", 2*time.Second, "measure each thing for so long, once it is set up; a quarter of it with --quick")
	f.StringArrayVar(&o.out, "out", []string{"report.html"}, "write to this file: .html, .md or .json; may be given more than once")
	f.StringVar(&o.from, "from", "", "measure nothing: take the figures of this .json")
	f.StringVar(&o.peers, "peers", "", "take the other libraries' figures from this file")
	f.StringVar(&o.alone, "alone", "", "measure one thing in this process, for a bench that is another")
	_ = f.MarkHidden("alone") // there is such a flag
	return cmd
}

// writers write a report to a file of a name that ends so.
var writers = map[string]func(pages.Report, string) error{
	".html": func(r pages.Report, path string) error {
		return toFile(path, func(f *os.File) error { return r.HTML(f) })
	},
	".json": func(r pages.Report, path string) error {
		return toFile(path, func(f *os.File) error { return r.JSON(f) })
	},
	".md": pages.Report.WriteMarkdown,
}

// toFile has write fill a file.
func toFile(path string, write func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// check looks whether the flags make sense together, and returns the rows that are to be measured.
func (o *benchmark) check(cmd *cobra.Command) (rows []bench.Row, err error) {
	for _, out := range o.out {
		if err := writable(out); err != nil {
			return nil, fmt.Errorf("--out %q: %w", out, err)
		}
	}
	if o.from != "" {
		for _, flag := range []string{"row", "part", "quick", "time"} {
			if cmd.Flags().Changed(flag) {
				return nil, fmt.Errorf("--from measures nothing: --%s means nothing with it", flag)
			}
		}
		return nil, nil
	}
	if o.time <= 0 {
		return nil, fmt.Errorf("--time %v: want more than nothing", o.time)
	}
	if o.quick {
		o.time /= 4
	}
	for _, p := range o.parts {
		if !slices.Contains(parts, p) {
			return nil, fmt.Errorf("--part %q is none of %s", p, strings.Join(parts, ", "))
		}
	}
	switch {
	case len(o.rows) > 0 && len(o.parts) == 0:
		o.parts = []string{"rows"}
	case len(o.parts) == 0:
		o.parts = parts
	}
	if o.peers != "" && !slices.Contains(o.parts, "peers") {
		o.parts = append(slices.Clone(o.parts), "peers")
	}
	if len(o.rows) > 0 && !slices.Contains(o.parts, "rows") {
		return nil, errors.New("--row names rows, and --part leaves them out")
	}
	return o.chosen()
}

// writable looks whether a page can be written to a file: rather now than after half an hour.
func writable(out string) error {
	kind := filepath.Ext(out)
	if writers[kind] == nil {
		return errors.New("want a name that ends in .html, .md or .json")
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return errors.New("there is no such folder")
	}
	if kind != ".md" {
		return nil
	}
	page, err := os.ReadFile(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = pages.Report{}.Markdown(string(page), "")
	}
	return err
}

// chosen are the rows that the flags name.
func (o *benchmark) chosen() (rows []bench.Row, err error) {
	if !slices.Contains(o.parts, "rows") {
		return nil, nil
	}
	for _, name := range o.rows {
		named, err := bench.RowsOf(name)
		if err != nil {
			return nil, fmt.Errorf("--row: %w", err)
		}
		rows = append(rows, named...)
	}
	if len(o.rows) > 0 {
		return rows, nil
	}
	return slices.DeleteFunc(bench.Rows(), func(r bench.Row) bool { return o.quick && !r.Quick }), nil
}

// command is what repeats the run.
func (o *benchmark) command() string {
	words := []string{"go run ./cmd/spillway bench"}
	if o.quick {
		words = append(words, "--quick")
	}
	for _, r := range o.rows {
		words = append(words, "--row", r)
	}
	if len(o.parts) < len(parts) && len(o.rows) == 0 {
		words = append(words, "--part", strings.Join(o.parts, ","))
	}
	for _, out := range o.out {
		words = append(words, "--out", filepath.ToSlash(out))
	}
	return strings.Join(words, " ")
}

// run measures, and writes what there is, interrupted or not.
func (o *benchmark) run(ctx context.Context, std stdio, rows []bench.Row) error {
	var r pages.Report
	var others *pages.Peers
	if o.peers != "" {
		p, err := readPeers(o.peers)
		if err != nil {
			return err
		}
		others = p
	}
	if o.from != "" {
		f, err := os.Open(o.from)
		if err != nil {
			return err
		}
		r, err = pages.Read(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", o.from, err)
		}
	} else {
		m := newMeasuring(o, std, rows)
		m.all(ctx)
		r = m.report
	}
	if others != nil {
		r.Peers, r.NoPeers = others, ""
	}
	var unwritten error
	for _, out := range o.out {
		if err := writers[filepath.Ext(out)](r, out); err != nil {
			unwritten = errors.Join(unwritten, err)
			continue
		}
		fmt.Fprintln(std.out, out)
	}
	switch {
	case unwritten != nil:
		return unwritten
	case r.Cut && o.from == "":
		return errInterrupted
	case len(r.Failures) > 0 && o.from == "":
		return fmt.Errorf("not measured: %s", strings.Join(r.Failures, "; "))
	}
	return nil
}

// readPeers reads what the gate printed of other libraries.
func readPeers(path string) (*pages.Peers, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	p, err := pages.ReadPeers(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
