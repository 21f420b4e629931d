package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// The document has what readers of it look for, and P4k is of those with 100 readers.
func TestDocument(t *testing.T) {
	f, err := measure([]peer{cskr(), asaskevich()}, []int{2, p4kReaders}, 0, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.encode(&out); err != nil {
		t.Fatal(err)
	}
	document := out.Bytes()
	var got struct {
		Machine, Go string
		Rows        []struct {
			Peer, Version  string
			Readers        int
			NS             float64
			RatioMulticast float64 `json:"ratio_multicast"`
			RatioChannels  float64 `json:"ratio_channels"`
			Without        []string
		}
		Peers []struct {
			Peer string
			Can  []string
		}
		Cannot []struct{ Peer, What, Why string }
		P4k    *struct {
			Fastest                               string
			This, Against, Ratio, Target, Stretch float64
			Finalists                             []struct {
				Peer string
				NS   float64
			}
		}
	}
	if err := json.Unmarshal(document, &got); err != nil {
		t.Fatal(err)
	}
	if got.Machine == "" || got.Go == "" || len(got.Rows) != 4 || len(got.Peers) != 2 || len(got.Cannot) == 0 || got.P4k == nil {
		t.Fatalf("the document is %+v", got)
	}
	for _, r := range got.Rows {
		if r.Peer == "" || r.Version == "" || r.Readers == 0 || r.NS <= 0 || r.RatioMulticast <= 0 || r.RatioChannels <= 0 || len(r.Without) == 0 {
			t.Errorf("a row is %+v", r)
		}
	}
	if p := got.P4k; p.Fastest == "" || p.This <= 0 || p.Against <= 0 || p.Ratio <= 0 || p.Target != p4kTarget || p.Stretch != p4kStretch ||
		len(p.Finalists) == 0 {
		t.Errorf("P4k is %+v", p)
	}

	var decoded figures // it holds all that the table prints
	if err := json.Unmarshal(document, &decoded); err != nil {
		t.Fatal(err)
	}
	if was, is := printed(t, f), printed(t, decoded); is != was {
		t.Errorf("the table of what the document holds is\n%s\nnot\n%s", is, was)
	}
}

func printed(t *testing.T, f figures) string {
	t.Helper()
	var out strings.Builder
	if err := f.table(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The fastest is the one that Spillway leaves behind least where all who may be it take turns.
func TestP4kIsAgainstTheFastest(t *testing.T) {
	rows := []row{
		{Peer: "few readers", Readers: 10, RatioMulticast: 2},
		{Peer: "slow", Readers: p4kReaders, RatioMulticast: 30},
		{Peer: "fast at its time", Readers: p4kReaders, RatioMulticast: 15},
		{Peer: "fast", Readers: p4kReaders, RatioMulticast: 16},
	}
	names := finalists(rows)
	if !slices.Equal(names, []string{"fast at its time", "fast"}) {
		t.Errorf("the finalists are %q", names)
	}
	p := judge(names, bench.Rounds{{2, 2, 4}, {40, 40, 80}, {30, 30, 120}})
	if p.Fastest != "fast" || p.Ratio != 2.0/30 || p.Against != 30 || p.This != 2 || !slices.Equal(p.Finalists, []finalist{{names[0], 40}, {names[1], 30}}) {
		t.Errorf("P4k is %+v", p)
	}
	for ratio, verdict := range map[float64]string{0.05: "stretch reached", 0.06: "target reached", 0.09: "SHORT of the target"} {
		p.Ratio = ratio
		if got := p.String(); !strings.HasSuffix(got, verdict) {
			t.Errorf("of %v it says %q; want %q", ratio, got, verdict)
		}
	}
	if names := finalists(rows[:1]); names != nil {
		t.Errorf("without 100 readers the finalists are %q", names)
	}
}

// Where a rival wins, its line says so; and what its figure is without, each line does.
func TestTableMarksWins(t *testing.T) {
	f := figures{Rows: []row{
		{Peer: "behind", RatioMulticast: 20, RatioChannels: 2},
		{Peer: "between", RatioMulticast: 9, RatioChannels: 0.7},
		{Peer: "ahead", RatioMulticast: 0.9, RatioChannels: 0.2, Without: []string{"no brakes", "no lights"}},
	}, Cannot: lacks(peers())}
	var out bytes.Buffer
	if err := f.table(&out); err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(out.String()))
	for name, mark := range map[string]string{"behind": "", "between": "WINS over channels", "ahead": "WINS over both"} {
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), name+" ") })
		if at < 0 {
			t.Errorf("no line for %s in\n%s", name, out.String())
			continue
		}
		if got := strings.Contains(lines[at], "WINS"); got != (mark != "") || !strings.Contains(lines[at], mark) {
			t.Errorf("the line of %s is %q; want %q in it", name, lines[at], mark)
		}
	}
	if !strings.Contains(out.String(), "WINS over both  no brakes, no lights\n") {
		t.Errorf("it doesn't say what ahead is without:\n%s", out.String())
	}
	for _, a := range absent() {
		if !strings.Contains(out.String(), a.name+" can't be measured") {
			t.Errorf("%s is passed over in silence", a.name)
		}
	}
}

// A peer that delivers something else has no figure, and one that fails to open none either.
func TestNoFigureWithoutTheEvents(t *testing.T) {
	wrong := dustin()
	open := wrong.open
	wrong.open = func(h bench.Host, crowd *bench.Crowd, readers, buffer int) func([]core.Notification) {
		send := open(h, crowd, readers, buffer)
		return func(events []core.Notification) {
			events = slices.Clone(events)
			events[0].Sequence++
			send(events)
		}
	}
	if _, err := compare(wrong, 2, 0); err == nil || !strings.Contains(err.Error(), "a reader has") {
		t.Errorf("the error is %v", err)
	}
	errNever := errors.New("never opens")
	never := dustin()
	never.open = func(h bench.Host, _ *bench.Crowd, _, _ int) func([]core.Notification) {
		h.Fatalf("%w", errNever)
		return nil
	}
	if _, err := compare(never, 2, 0); !errors.Is(err, errNever) {
		t.Errorf("the error is %v", err)
	}
}

// Every figure names the version that it is of.
func TestVersions(t *testing.T) {
	for _, p := range peers() {
		if v := p.version(); !strings.HasPrefix(v, "v") {
			t.Errorf("%s has version %q", p.name, v)
		}
	}
}
