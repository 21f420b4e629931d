//go:build spillway_steps

package step

import "github.com/spillwayhq/spillway/core"

// At calls core.Step.
func At[S ~string](name S) { core.Step(string(name)) }
