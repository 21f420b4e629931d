package top_test

import (
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/top"
)

// told is a Model that was told all of these.
func told(m tea.Model, messages ...tea.Msg) tea.Model {
	for _, msg := range messages {
		m, _ = m.Update(msg)
	}
	return m
}

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
		m := told(top.New("http://x"), three, top.Ended{Cause: "Full", Region: "entity=z\x1b[2J"}, size)
		lines := strings.Split(screen(m), "\n")
		if len(lines) > size.Height {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, line := range lines {
			if len([]rune(line)) > size.Width || strings.ContainsRune(line, '\x1b') {
				t.Errorf("%v: %q", size, line)
			}
		}
	}
}

func TestTrouble(t *testing.T) {
	m := told(top.New("http://x"), top.Stats{At: 1000}, top.Trouble{Err: errors.New("refused")})
	if !strings.Contains(screen(m), "no answer: refused") {
		t.Error(screen(m))
	}
	if m = told(m, top.Stats{At: 2000, Broadcasts: 50}); !strings.Contains(screen(m), "live\nevents 50/s") {
		t.Error(screen(m))
	}
}
