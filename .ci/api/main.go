// Command api compares the exported API of the public packages with the one that was recorded last, and fails where
// a user's program may no longer compile, unless docs/changelog.md has a line marked **breaking** that it had
// not when the record was made. From the module's root:
//
//	go run -modfile=.ci/tools.mod ./.ci/api            compares
//	go run -modfile=.ci/tools.mod ./.ci/api -record    records
//
// What is compared, and how, is x/exp's apidiff. The record lies in the tree, so that a clone without history can
// be checked too: .ci/api/recorded has a file for each package, which golang.org/x/exp/cmd/apidiff reads as
// well, but without the positions that it would write, which are paths of the machine it ran on.
package main

import (
	"flag"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

const (
	module    = "github.com/spillwayhq/spillway/"
	changelog = "docs/changelog.md"
)

// public are the folders whose packages other people's programs import, but for those below an internal.
var public = []string{"region", "core", "adapters", "cursor"}

func main() {
	anew := flag.Bool("record", false, "record the API as it is")
	in := flag.String("in", ".ci/api/recorded", "folder of the record")
	flag.Parse()
	if err := run(*in, *anew); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(folder string, anew bool) error {
	now, err := load()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(changelog)
	if err != nil {
		return err
	}
	if anew {
		return write(folder, record{packages: now, marked: marked(string(text))})
	}
	old, err := read(folder)
	if err != nil {
		return err
	}
	broken, added := compare(old.packages, now)
	for _, c := range broken {
		fmt.Println("incompatible:", c)
	}
	fmt.Printf("%d packages recorded; %d incompatible changes since, %d compatible\n", len(old.packages), len(broken), len(added))
	lines := since(old.marked, marked(string(text)))
	for _, line := range lines {
		fmt.Println("marked:", line)
	}
	return judge(broken, lines)
}

// judge wants incompatible changes to be marked.
func judge(broken, lines []string) error {
	if len(broken) == 0 || len(lines) > 0 {
		return nil
	}
	return fmt.Errorf("%d incompatible changes, and no line marked **breaking** in %s since the record; "+
		"say there what breaks, or record anew what nobody has used yet (-record)", len(broken), changelog)
}

// load returns the public packages as they are, by their paths below the module's.
func load() (map[string]*types.Package, error) {
	var patterns []string
	for _, folder := range public {
		if _, err := os.Stat(folder); err == nil {
			patterns = append(patterns, "./"+filepath.Join(folder, "..."))
		}
	}
	found, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	now := make(map[string]*types.Package)
	for _, p := range found {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		path := strings.TrimPrefix(p.PkgPath, module)
		if p.Name != "main" && !strings.Contains("/"+path+"/", "/internal/") {
			now[path] = p.Types
		}
	}
	if len(now) == 0 {
		return nil, fmt.Errorf("no public package in %v: not the module's root?", patterns)
	}
	return now, nil
}

// compare returns what has changed, incompatibly or not.
func compare(old, now map[string]*types.Package) (broken, added []string) {
	for _, path := range sorted(old) {
		p := now[path]
		if p == nil {
			broken = append(broken, path+": package removed")
			continue
		}
		for _, c := range apidiff.Changes(old[path], p).Changes {
			if c.Compatible {
				added = append(added, path+": "+c.Message)
			} else {
				broken = append(broken, path+": "+c.Message)
			}
		}
	}
	for _, path := range sorted(now) {
		if old[path] == nil {
			added = append(added, path+": package added")
		}
	}
	// Of a generic type it says some things twice.
	return slices.Compact(broken), slices.Compact(added)
}

// marked returns the changelog's lines that say what breaks. The page's head, which explains the mark, is none.
func marked(text string) (lines []string) {
	_, entries, _ := strings.Cut(text, "\n## ")
	for line := range strings.Lines(entries) {
		if strings.Contains(line, "**breaking**") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// since returns the lines that are new; of like lines each counts.
func since(old, now []string) (lines []string) {
	known := make(map[string]int)
	for _, line := range old {
		known[line]++
	}
	for _, line := range now {
		if known[line]--; known[line] < 0 {
			lines = append(lines, line)
		}
	}
	return lines
}
