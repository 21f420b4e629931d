package judge

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Peers builds the nested module of the rivals in the tree at root, and runs it with these arguments: both sides are in that
// binary.
func Peers(ctx context.Context, root string, out, notes io.Writer, args ...string) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "peers")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Dir = filepath.Join(root, "bench", "peers")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building bench/peers: %w\n%s", err, out)
	}
	run := exec.CommandContext(ctx, binary, args...)
	run.Stdout, run.Stderr = out, notes
	return run.Run()
}
