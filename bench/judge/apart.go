package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Apart has a process of its own measure something: what one leaves behind, a hundred thousand goroutines' stacks for
// example, would slow down the baselines of those after it. The process is this program with these arguments, and prints
// the result as JSON.
func Apart(ctx context.Context, result any, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	var out, notes bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &notes
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(notes.String()))
	}
	return json.Unmarshal(out.Bytes(), result)
}
