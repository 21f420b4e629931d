package docs_test

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block is a fenced block of a page.
type block struct {
	page string
	line int    // of its first line
	mark string // the comment on the line before its fence, without the brackets
	lang string
	text string
	says string // what a program prints, by the text block that follows it
}

// blocks returns a page's. Between a program and what it prints is one line of prose at most.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	var in *block
	between, mark := 0, ""
	line := 0
	for text := range strings.Lines(read(t, page)) {
		line++
		lang, fenced := strings.CutPrefix(strings.TrimRight(text, "\n"), "```")
		switch {
		case in == nil && fenced:
			in = &block{page: page, line: line + 1, mark: mark, lang: lang}
		case in != nil && fenced:
			if n := len(all); in.lang == "text" && n > 0 && all[n-1].lang == "go" && between <= 1 {
				all[n-1].says = in.text
			}
			all = append(all, *in)
			in, between = nil, 0
		case in != nil:
			in.text += text
		case strings.TrimSpace(text) != "":
			between++
		}
		if comment, ok := strings.CutPrefix(text, "<!-- "); ok && in == nil {
			mark = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(comment), "-->"))
		} else {
			mark = ""
		}
	}
	if in != nil {
		t.Errorf("%s:%d: the block has no end", page, in.line)
	}
	return all
}

// A Go block of a page is a program that is run here, or it is marked: one of the files of adapterPage, which
// TestWritingAnAdapter runs, or a program that needs what is in the go.mod of bench/peers alone, whose tests run it.
const (
	fileMark = "file: "
	peerMark = "module: bench/peers"
)

// TestPrograms builds and runs every program of every page, and compares what it prints with what the page says.
func TestPrograms(t *testing.T) {
	programs := 0
	for _, page := range files(t, ".md") {
		for _, b := range blocks(t, page) {
			if b.lang != "go" {
				continue
			}
			if formatted, err := format.Source([]byte(b.text)); err != nil || string(formatted) != b.text {
				t.Errorf("%s:%d: this is not as gofmt has it (%v)", page, b.line, err)
			}
			switch {
			case b.mark == peerMark, page == adapterPage && strings.HasPrefix(b.mark, fileMark):
			case !strings.HasPrefix(b.text, "package main\n"), b.says == "":
				t.Errorf("%s:%d: want a program, and what it prints in the text block behind it", page, b.line)
			default:
				programs++
				t.Run(fmt.Sprintf("%s:%d", strings.ReplaceAll(page, "/", "-"), b.line), func(t *testing.T) {
					t.Parallel()
					b.run(t)
				})
			}
		}
	}
	if programs == 0 {
		t.Error("no page has a program: how are they marked now?")
	}
}

func (b *block) run(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "main.go")
	write(t, path, b.text)
	run := exec.CommandContext(t.Context(), "go", "run", path)
	run.Dir = rootPath
	if out, err := run.CombinedOutput(); err != nil || string(out) != b.says {
		t.Errorf("%s:%d: printed (%v)\n%swant\n%s", b.page, b.line, err, out, b.says)
	}
}

const ownCommand = "go run ./cmd/spillway"

var (
	// lasting are the commands that go on until they are stopped, or take minutes. Of them, and of those that need one of them,
	// the flags alone are looked at here: cmd/spillway has their tests.
	lasting = regexp.MustCompile(`^(serve|publish|watch|top|bench)\b`)

	// others begin the lines of shell blocks that are not run here.
	others = regexp.MustCompile(`^(#|cd |cp |curl |git clone |go get |go test |kill |\.ci/|sudo |systemctl )`)

	flagName = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// TestCommands runs the lines of the pages' shell blocks that are spillway's own, a page's in one folder, in order.
func TestCommands(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	root, err := filepath.Abs(rootPath)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is no clone, and has no history to replay")
	}
	spillway := filepath.Join(t.TempDir(), "spillway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", spillway, "./cmd/spillway")
	build.Dir = rootPath
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ran := 0
	for _, page := range files(t, ".md") {
		dir := t.TempDir()
		for _, b := range blocks(t, page) {
			if b.lang != "sh" {
				continue
			}
			for line := range strings.Lines(b.text) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), "   #")
				own, ok := strings.CutPrefix(line, ownCommand+" ")
				switch {
				case line == "" || !ok && others.MatchString(line):
				case !ok:
					t.Errorf("%s:%d: is %q to be run, or is it one of the others?", page, b.line, line)
				case lasting.MatchString(own):
					help := exec.CommandContext(t.Context(), spillway, strings.Fields(own)[0], "--help")
					out, err := help.CombinedOutput()
					if err != nil {
						t.Errorf("%s:%d: %s: %v\n%s", page, b.line, line, err, out)
					}
					for _, flag := range flagName.FindAllString(own, -1) {
						if !regexp.MustCompile(flag + `\b`).Match(out) {
							t.Errorf("%s:%d: %s: there is no %s", page, b.line, line, flag)
						}
					}
				default:
					ran++
					own = strings.ReplaceAll(own, "--git .", "--git '"+root+"'")
					own = strings.ReplaceAll(own, ownCommand, "'"+spillway+"'")
					run := exec.CommandContext(t.Context(), shell, "-c", "'"+spillway+"' "+own)
					run.Dir = dir
					if out, err := run.CombinedOutput(); err != nil {
						t.Errorf("%s:%d: %s: %v\n%s", page, b.line, line, err, out)
					}
				}
			}
		}
	}
	if ran == 0 {
		t.Error("no page has a command to be run")
	}
}
