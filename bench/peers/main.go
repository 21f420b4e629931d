// Command peers compares Spillway with other libraries that give every event to every reader: end to end, every event checked
// by every reader, both in this one binary and in turns.
//
//	go run . [--json] [--n 1,10,100,1000,10000] [--time 1s]
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var (
		asJSON  bool
		readers []int
		least   time.Duration
	)
	c := &cobra.Command{
		Use:          "peers",
		Short:        "compare Spillway with other libraries that give every event to every reader",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	c.Flags().IntSliceVar(&readers, "n", []int{1, 10, 100, 1_000, 10_000}, "how many readers")
	c.Flags().DurationVar(&least, "time", time.Second, "how long a comparison takes at least; never less than seven rounds")
	c.RunE = func(c *cobra.Command, _ []string) error {
		for _, n := range readers {
			if n < 1 {
				return fmt.Errorf("--n: %d readers", n)
			}
		}
		f, err := measure(peers(), readers, least, func(what string) { c.PrintErrln(what) })
		if err != nil {
			return err
		}
		if asJSON {
			return f.encode(c.OutOrStdout())
		}
		return f.table(c.OutOrStdout())
	}
	return c
}
