package top_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/top"
)

// told is a Model that was told all of these.
func told(m tea.Model, messages ...tea.Msg) tea.Model {
	for _, msg := range messages {
		m, _ = m.Update(msg)
	}
	return m
}

// colours are the orders to a terminal that the screen may have.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func screen(m tea.Model) string { return m.View().Content }

func key(s string) tea.KeyPressMsg {
	if s == "enter" {
		return tea.KeyPressMsg{Code: tea.KeyEnter}
	}
	r := []rune(s)[0]
	return tea.KeyPressMsg{Code: r, Text: s}
}

var three = top.Subscriptions{
	{Region: "entity=b", Sink: "sse", Held: 1, Capacity: 4, Lost: 9},
	{Region: "entity=a", Sink: "sse", Held: 8, Capacity: 100},
	{Region: "entity=c", Sink: "ring", Held: 0, Capacity: 4, Lost: 1},
}

// order is the letters of the regions, in the order in which the screen has them.
func order(m tea.Model) (letters string) {
	for line := range strings.Lines(screen(m)) {
		if _, after, ok := strings.Cut(line, "entity="); ok {
			letters += after[:1]
		}
	}
	return letters
}

func TestSortAndFilter(t *testing.T) {
	m := told(top.New("http://x"), three)
	for k, want := range map[string]string{"f": "bac", "h": "abc", "l": "bca", "r": "abc"} {
		if got := order(told(m, key(k))); got != want {
			t.Errorf("by %s: %s, want %s", k, got, want)
		}
	}
	m = told(m, key("/"), key("r"), key("i"), key("n"))
	if got := order(m); got != "c" || !strings.Contains(screen(m), "filter: rin") {
		t.Errorf("filtered: %s in\n%s", got, screen(m))
	}
	if m, cmd := told(m, key("enter")).Update(key("q")); cmd == nil || order(m) != "c" {
		t.Error("q does not quit, or the filter is gone")
	}
}

func TestScreenFits(t *testing.T) {
	for _, size := range []tea.WindowSizeMsg{{Width: 1, Height: 1}, {Width: 20, Height: 5}, {Width: 200, Height: 60}} {
		m := told(top.New("http://x"), three, top.Subscriptions{{Region: "entity=漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢", Held: 9, Capacity: 10}},
			top.Ended{Cause: "Full", Region: "entity=z\x1b[2J"}, size)
		lines := strings.Split(screen(m), "\n")
		if len(lines) > size.Height {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, line := range lines {
			if text := colours.ReplaceAllString(line, ""); lipgloss.Width(text) > size.Width || strings.ContainsRune(text, '\x1b') {
				t.Errorf("%v: %q", size, line)
			}
		}
	}
}

// What is nearly full, pruned or out of reach has a colour, and says so without one.
func TestColours(t *testing.T) {
	m := told(top.New("http://x"), top.Subscriptions{{Region: "entity=a", Held: 3, Capacity: 4}, {Region: "entity=b", Held: 2, Capacity: 4}},
		top.Ended{Verdict: "full", Region: "entity=c"}, top.Trouble{Err: errors.New("refused")})
	for text, want := range map[string]string{"entity=a": "\x1b[33m", "entity=c": "\x1b[31m", "refused": "\x1b[31m", "entity=b": ""} {
		found := false
		for line := range strings.Lines(screen(m)) {
			if strings.Contains(line, text) {
				found = true
				if got := colours.FindString(line); got != want {
					t.Errorf("%s is in %q, want %q", text, got, want)
				}
			}
		}
		if !found {
			t.Errorf("no %s in\n%s", text, screen(m))
		}
	}
}

// A window that grows shows more rows, one that shrinks less; what is scrolled to stays in sight.
func TestResizeAndScroll(t *testing.T) {
	var many top.Subscriptions
	for i := range 50 {
		many = append(many, top.Subscription{Region: fmt.Sprintf("entity=%c", 'A'+i), Capacity: 1})
	}
	m := told(top.New("http://x"), many, key("r"), tea.WindowSizeMsg{Width: 80, Height: 10})
	small := order(m)
	m = told(m, tea.WindowSizeMsg{Width: 80, Height: 30})
	if large := order(m); len(small) == 0 || len(large) != len(small)+20 || !strings.HasPrefix(large, small) {
		t.Errorf("10 lines show %s, 30 show %s", small, large)
	}
	for range 70 {
		m = told(m, key("j"))
	}
	if got := order(m); got != "r" {
		t.Errorf("below the last is %s", got)
	}
	m = told(m, key("k"), tea.WindowSizeMsg{Width: 80, Height: 10})
	if got := order(m); got != "qr" {
		t.Errorf("above the last is %s", got)
	}
	if got := order(told(m, many[:3])); got != "C" {
		t.Errorf("of three there are %s in sight", got)
	}
	if got := order(told(m, key("g"))); got != small {
		t.Errorf("at the top there are %s, want %s", got, small)
	}
}

func TestTrouble(t *testing.T) {
	m := told(top.New("http://x"), top.Stats{At: 1000}, top.Trouble{Err: errors.New("refused")})
	if !strings.Contains(screen(m), "no answer: refused") {
		t.Error(screen(m))
	}
	if m = told(m, top.Stats{At: 2000, Broadcasts: 50}); !strings.Contains(colours.ReplaceAllString(screen(m), ""), "live\nevents 50/s") {
		t.Error(screen(m))
	}
}
