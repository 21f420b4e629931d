package main

import (
	"context"

	"github.com/spillwayhq/spillway/bench/judge"
)

// runPeers measures the rivals.
func (g *gate) runPeers(ctx context.Context) error {
	var args []string
	if g.asJSON {
		args = append(args, "--json")
	}
	return judge.Peers(ctx, ".", g.out, g.notes, args...)
}
