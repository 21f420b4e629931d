package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// decided looks for what says why the row may be short of its target: a file in dir whose name begins with the Decision, and a
// line of it that names the row and its floor.
func decided(dir string, r Row) error {
	if r.Floor == 0 && r.Decision == "" {
		return nil
	}
	if r.Decision == "" || r.Floor <= r.Target {
		return fmt.Errorf("%s: floor %v with decision %q; want both or none, and a floor over the target", r.Name(), r.Floor, r.Decision)
	}
	found, err := filepath.Glob(filepath.Join(dir, r.Decision+"-*.md"))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("%s: there are %d decisions %q, want one", r.Name(), len(found), r.Decision)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	name, floor := word(r.Name()), word(strconv.FormatFloat(r.Floor, 'f', -1, 64))
	for line := range strings.Lines(string(text)) {
		if name.MatchString(line) && floor.MatchString(line) {
			return nil
		}
	}
	return fmt.Errorf("%s: no line of %s names it and its floor, %v", r.Name(), found[0], r.Floor)
}

// word matches s where it is no part of a longer name or number.
func word(s string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^\w/=.])` + regexp.QuoteMeta(s) + `($|[^\w/=.]|\.(\s|$))`)
}

func TestFloorsAreDecided(t *testing.T) {
	for _, r := range Rows() {
		if err := decided(filepath.Join("..", "docs", "decisions"), r); err != nil {
			t.Error(err)
		}
	}
}

func TestDecided(t *testing.T) {
	dir := t.TempDir()
	text := "| row | floor |\n|---|---|\n| P0/subs=10 | 2.75 |\n| P0 | 0.02 |\nP0z stays over 0.5.\nP0y: 12.75 or 2.751\n"
	if err := os.WriteFile(filepath.Join(dir, "0099-floors.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		row  Row
		want string
	}{
		{"no floor", Row{ID: "P0"}, ""},
		{"decided", Row{ID: "P0", Case: "subs=10", Target: 2, Floor: 2.75, Decision: "0099"}, ""},
		{"decided, small", Row{ID: "P0", Target: 0.01, Floor: 0.02, Decision: "0099"}, ""},
		{"decided, in a sentence", Row{ID: "P0z", Target: 0.4, Floor: 0.5, Decision: "0099"}, ""},
		{"a floor alone", Row{ID: "P0", Target: 2, Floor: 2.75}, "both or none"},
		{"a decision alone", Row{ID: "P0", Target: 2, Decision: "0099"}, "both or none"},
		{"no floor, being met", Row{ID: "P0", Target: 3, Floor: 2.75, Decision: "0099"}, "over the target"},
		{"no such decision", Row{ID: "P0", Target: 2, Floor: 2.75, Decision: "0098"}, "0 decisions"},
		{"part of another's name", Row{ID: "P0", Case: "subs=1", Target: 2, Floor: 2.75, Decision: "0099"}, "no line"},
		{"another's figure", Row{ID: "P0", Target: 2, Floor: 2.75, Decision: "0099"}, "no line"},
		{"part of another figure", Row{ID: "P0y", Target: 2, Floor: 2.75, Decision: "0099"}, "no line"},
	} {
		err := decided(dir, test.row)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
}
