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
	var got struct {
		Machine, Go string
		Rows        []struct {
			Peer, Version  string
			Readers        int
			NS             float64
			RatioMulticast float64 `json:"ratio_multicast"`
			RatioChannels  float64 `json:"ratio_channels"`
		}
		Cannot []struct{ Peer, What, Why string }
		P4k    *struct {
			Fastest                               string
			This, Against, Ratio, Target, Stretch float64
		}
	}
	d := json.NewDecoder(&out)
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Machine == "" || got.Go == "" || len(got.Rows) != 4 || len(got.Cannot) == 0 || got.P4k == nil {
		t.Fatalf("the document is %+v", got)
	}
	for _, r := range got.Rows {
		if r.Peer == "" || r.Version == "" || r.Readers == 0 || r.NS <= 0 || r.RatioMulticast <= 0 || r.RatioChannels <= 0 {
			t.Errorf("a row is %+v", r)
		}
	}
	if p := got.P4k; p.Fastest == "" || p.This <= 0 || p.Against <= 0 || p.Ratio <= 0 || p.Target != p4kTarget || p.Stretch != p4kStretch {
		t.Errorf("P4k is %+v", p)
	}
}

// The fastest is the one that Spillway leaves behind least, of those with 100 readers.
func TestP4kIsAgainstTheFastest(t *testing.T) {
	rows := []row{
		{Peer: "few readers", Readers: 10, NS: 20, multicast: 10, inverse: 0.5},
		{Peer: "slow", Readers: p4kReaders, NS: 100, multicast: 1, inverse: 0.01},
		{Peer: "fast", Readers: p4kReaders, NS: 30, multicast: 2, inverse: 0.06},
	}
	p := judge(rows)
	if p == nil || p.Fastest != "fast" || p.Ratio != 0.06 || p.Against != 30 || p.This != 2 {
		t.Fatalf("P4k is %+v", p)
	}
	for ratio, verdict := range map[float64]string{0.05: "stretch reached", 0.06: "target reached", 0.09: "SHORT of the target"} {
		p.Ratio = ratio
		if got := p.String(); !strings.HasSuffix(got, verdict) {
			t.Errorf("of %v it says %q; want %q", ratio, got, verdict)
		}
	}
	if judge(rows[:1]) != nil {
		t.Error("there is a P4k without 100 readers")
	}
}

// Where a rival wins, its line says so.
func TestTableMarksWins(t *testing.T) {
	f := figures{Rows: []row{
		{Peer: "behind", RatioMulticast: 20, RatioChannels: 2},
		{Peer: "between", RatioMulticast: 9, RatioChannels: 0.7},
		{Peer: "ahead", RatioMulticast: 0.9, RatioChannels: 0.2},
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
