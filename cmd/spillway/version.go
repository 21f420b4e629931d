package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "say which version this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(std.out, "spillway %s %s %s/%s\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// versionText is the module's version, and the commit where that is known.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return info.Main.Version + " " + s.Value
		}
	}
	return info.Main.Version
}

// versionHere is the same; a program that go run has built doesn't know its commit, and asks git in the sources around the
// current folder, if those are around it.
func versionHere(ctx context.Context) string {
	version := versionText()
	if version != "(devel)" {
		return version
	}
	root, err := sources()
	if err != nil {
		return version
	}
	git := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")
	git.Dir = root
	if commit, err := git.Output(); err == nil {
		return version + " " + strings.TrimSpace(string(commit))
	}
	return version
}
