package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
)

const adapterPage = "docs/writing-an-adapter.md"

var codeFile = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```go\n(.*?)```")

// A slip is a way to break one clause of the page's sinks: in a file, one text instead of another.
type slip struct{ clause, file, text, instead string }

var slips = []slip{
	{
		"optional methods have core's signatures", "more.go",
		"Held() (held, capacity int) {\n\tb.mu.Lock()\n\tdefer b.mu.Unlock()\n\treturn len(b.kept), b.limit", "Held() int {\n\treturn len(b.kept)",
	},
	{"Attach before the first Offer", "more.go", "b.leave = s.Cancel", "s.Cancel()"},
	{"never blocks", "inbox.go", "return core.Full", "select {}"},
	{"answers with a verdict", "inbox.go", "return core.Full", "return core.Full + 5"},
	{"Close returns soon", "inbox.go", "b.cause = cause", "select {}"},
	{
		"accepted is delivered, and nothing else", "inbox.go", "if len(b.kept) == b.limit {",
		"if len(b.kept) == 5 {\n\t\tb.kept[4] = v\n\t\treturn core.Accepted\n\t}\n\tif len(b.kept) == b.limit {",
	},
	{"full means refused", "inbox.go", "== b.limit {", "== b.limit+1 {"},
	{"delivers nothing twice", "inbox.go", "b.kept = b.kept[:0]", "b.kept = append(b.kept[:0], dst[len(dst)-min(1, len(dst)):]...)"},
	{"keeps nothing it refused, refuses nothing it kept", "inbox.go", "return core.Full", "b.kept = append(b.kept, v)\n\t\treturn core.Full"},
	{"order", "inbox.go", "append(b.kept, v)", "append([]T{v}, b.kept...)"},
	{"reading makes room", "inbox.go", "b.kept = b.kept[:0]", "b.kept, b.limit = b.kept[:0], b.limit-len(b.kept)+7"},
	{"closed once and last", "inbox.go", "b.cause = cause", "b.cause = cause\n\tpanic(cause)"},
	{"buffered stays readable", "inbox.go", "b.cause = cause", "b.cause = cause\n\tb.kept = nil"},
	{"cause readable", "inbox.go", "b.cause = cause", ""},
	{
		"concurrent offers", "inbox.go", "b.kept = append(b.kept, v)",
		"kept := b.kept\n\tb.mu.Unlock()\n\tvar others sync.WaitGroup\n\tfor range 4 { // the first of them runs after the other writers that wait to run\n\t\tothers.Go(func() {})\n\t}\n\tothers.Wait()\n\tb.mu.Lock()\n\tb.kept = append(kept, v)",
	},
	{"the Gauge tells the truth", "more.go", "return len(b.kept), b.limit", "return 0, b.limit"},
	{"Lost is exact", "more.go", "// Err returns", "// Lost is wrong.\nfunc (b *Inbox[T]) Lost() uint64 { return 1 }\n\n// Err returns"},
	{"Chan agrees with Offer", "pipe.go", "return core.Full", "return core.Closed"},
	{
		"nothing retained after close", "inbox.go", "return &Inbox[T]{kept: make([]T, 0, limit), limit: limit}",
		"b := &Inbox[T]{kept: make([]T, 0, limit), limit: limit}\n\tall = append(all, b)\n\treturn b\n}\n\nvar all []any\n\nfunc init() {\n\tall = nil",
	},
}

// TestWritingAnAdapter takes the page's files, has the kit pass them, and then breaks one clause after the other: that
// clause fails, and no other.
func TestWritingAnAdapter(t *testing.T) {
	page := read(t, adapterPage)
	sound := make(map[string]string)
	for _, m := range codeFile.FindAllStringSubmatch(page, -1) {
		sound[m[1]] = m[2]
	}
	packages := map[string]map[string]string{"sound": sound}
	want := map[string][]string{"sound": nil}
	var broken []string
	for _, s := range slips {
		if strings.Count(sound[s.file], s.text) != 1 {
			t.Fatalf("%s of %s has %q not just once", s.file, adapterPage, s.text)
		}
		name := "broken_" + regexp.MustCompile(`\W`).ReplaceAllString(s.clause, "_")
		packages[name] = maps.Clone(sound)
		packages[name][s.file] = strings.Replace(sound[s.file], s.text, s.instead, 1)
		want[name] = []string{s.clause}
		broken = append(broken, s.clause)
		if !strings.Contains(page, "| "+s.clause+" |") {
			t.Errorf("%s has no row for %q", adapterPage, s.clause)
		}
	}
	if clauses := sinktest.Clauses(); !sameSet(broken, clauses) {
		t.Errorf("broken are %q\nthe kit has %q", broken, clauses)
	}
	if lines := strings.Count(bare(sound["inbox.go"]), "\n"); lines > 40 {
		t.Errorf("the sink has %d lines beside its comments and imports", lines)
	}
	got := runPackages(t, packages)
	for name, clauses := range want {
		if !slices.Equal(got[name], clauses) {
			t.Errorf("of %s the kit says that %q fails; want %q", name, got[name], clauses)
		}
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// bare is the code from its first type on, without comments and empty lines.
func bare(code string) string {
	var lines strings.Builder
	_, code, _ = strings.Cut(code, ")\n")
	for line := range strings.Lines(code) {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "//") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// runPackages tests packages of a module of its own that needs this one, and returns the clauses that fail in each.
func runPackages(t *testing.T, packages map[string]map[string]string) map[string][]string {
	t.Helper()
	root, err := filepath.Abs(rootPath)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(read(t, "go.mod"), "module example.com/inbox")+
		"\nrequire github.com/spillwayhq/spillway v0.0.0\nreplace github.com/spillwayhq/spillway => "+root+"\n")
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
	for name, files := range packages {
		for file, text := range files {
			write(t, filepath.Join(dir, name, file), text)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "test", "-mod=mod", "-vet=off", "-json", "./...")
	run.Dir = dir
	out, err := run.Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	passed := make(map[string]bool)
	failed := make(map[string][]string)
	for lines := json.NewDecoder(bytes.NewReader(out)); lines.More(); {
		var e struct{ Action, Package, Test, Output string }
		if err := lines.Decode(&e); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		name := filepath.Base(e.Package)
		_, clause, sub := strings.Cut(e.Test, "/")
		switch {
		case e.Action == "fail" && sub:
			failed[name] = append(failed[name], strings.ReplaceAll(clause, "_", " "))
		case e.Action == "pass" && sub:
			passed[name] = true
		case e.Action == "fail" && name == "sound" && e.Test != "":
			t.Errorf("%s of %s fails", e.Test, adapterPage)
		case strings.HasPrefix(e.Action, "build-"):
			t.Log(e.Output)
		}
	}
	for name := range packages {
		if !passed[name] {
			t.Errorf("%s: no clause passed; was it built?\n%s", name, out)
		}
	}
	return failed
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
