package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/bench/judge"
	"github.com/spillwayhq/spillway/bench/report"
)

// A table is what a part found. Its methods are one goroutine's.
type table struct {
	part  string
	short bool
	took  time.Duration

	title string
	about string // what was done
	head  []string
	rows  [][]string
	notes []string
	kept  []string // assertions that held
	not   []string // and those that didn't
}

func newTable(part string, short bool) *table { return &table{part: part, short: short, title: part} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// assert notes what was asserted, and whether it holds.
func (t *table) assert(holds bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if holds {
		t.kept = append(t.kept, text)
	} else {
		t.not = append(t.not, text)
	}
}

func (t *table) broken() bool { return len(t.not) > 0 }

// String is the table in Markdown.
func (t *table) String() string {
	var b strings.Builder
	kind := ""
	if t.short {
		kind = ", short form"
	}
	fmt.Fprintf(&b, "## %s\n\n%s\n\n%s; %s, in %.0f s%s; `go run ./bench/load --only %s`\n\n",
		t.title, t.about, judge.ThisMachine(), time.Now().UTC().Format(time.DateOnly), t.took.Seconds(), kind, t.part)
	if len(t.rows) > 0 {
		fmt.Fprintln(&b, report.MarkdownRow(t.head...))
		fmt.Fprintln(&b, strings.Repeat("|---", len(t.head))+"|")
		for _, r := range t.rows {
			fmt.Fprintln(&b, report.MarkdownRow(r...))
		}
		fmt.Fprintln(&b)
	}
	for _, n := range t.notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	for _, a := range t.kept {
		fmt.Fprintf(&b, "- asserted: %s\n", a)
	}
	for _, a := range t.not {
		fmt.Fprintf(&b, "- **FAILED**: %s\n", a)
	}
	return b.String()
}

const begin = `# Under load

What ` + "`go run ./bench/load --out docs/load.md`" + ` found, the last time that it ran: ` + "`spillway serve`" + ` as one process, what loads it
as another, on loopback. Both share the cores, so a latency is also what the clients themselves take. Figures that are bad for Spillway
stay; only what is marked as asserted fails the command.
`

// block is a part of the page, between the comments that a run finds it again by.
func (t *table) block(text string) string {
	return fmt.Sprintf("<!-- bench/load: %[1]s -->\n%[2]s\n<!-- /bench/load: %[1]s -->", t.part, strings.TrimSpace(text))
}

// into returns the page with this part of it anew.
func (t *table) into(page string) string {
	if page == "" {
		page = begin
	}
	old := regexp.MustCompile(`(?s)<!-- bench/load: ` + t.part + ` -->\n.*?<!-- /bench/load: ` + t.part + ` -->`)
	if at := old.FindStringIndex(page); at != nil {
		return page[:at[0]] + t.block(t.String()) + page[at[1]:]
	}
	return strings.TrimRight(page, "\n") + "\n\n" + t.block(t.String()) + "\n"
}

func (t *table) writeInto(path string) error {
	page, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(t.into(string(page))), 0o666)
}
