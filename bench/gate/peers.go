package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// runPeers builds the nested module of the rivals and runs it: both sides are in that binary.
func (g *gate) runPeers(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "peers")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Dir = filepath.FromSlash("bench/peers")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building bench/peers: %w\n%s", err, out)
	}
	var args []string
	if g.asJSON {
		args = append(args, "--json")
	}
	run := exec.CommandContext(ctx, binary, args...)
	run.Stdout, run.Stderr = g.out, g.notes
	return run.Run()
}
