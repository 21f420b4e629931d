package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/bench"
)

// figures are what a run found.
type figures struct {
	Machine string `json:"machine"`
	Go      string `json:"go"`
	Rows    []row  `json:"rows"`
	Peers   []able `json:"peers"`
	Cannot  []lack `json:"cannot"`
	P4k     *p4k   `json:"p4k"` // none without 100 readers
}

// A row is one peer with so many readers. Its ratios are its time divided by Spillway's: below 1 it wins.
type row struct {
	Peer           string   `json:"peer"`
	Version        string   `json:"version"`
	Payload        string   `json:"payload"`
	Buffer         int      `json:"buffer"` // 0: it has none to choose
	Readers        int      `json:"readers"`
	Rounds         int      `json:"rounds"`
	NS             float64  `json:"ns"`        // a delivery
	Multicast      float64  `json:"multicast"` // Spillway's own
	Channels       float64  `json:"channels"`
	RatioMulticast float64  `json:"ratio_multicast"`
	RatioChannels  float64  `json:"ratio_channels"`
	Without        []string `json:"without"` // what the figure is without, of what Spillway promises with its own
}

// An able is what a peer can do.
type able struct {
	Peer string   `json:"peer"`
	Can  []string `json:"can"`
}

// A lack is something that a peer can't do, and where its source shows it.
type lack struct {
	Peer string `json:"peer"`
	What string `json:"what"`
	Why  string `json:"why"`
}

// measure compares each peer with Spillway's multicast and its channels, in turns of the three.
func measure(peers []peer, readers []int, least time.Duration, say func(what string)) (figures, error) {
	f := figures{
		Machine: fmt.Sprintf("%s, %d CPUs, GOMAXPROCS %d", processor(), runtime.NumCPU(), runtime.GOMAXPROCS(0)),
		Go:      runtime.Version(),
		Peers:   abilities(peers),
		Cannot:  lacks(peers),
	}
	for _, n := range readers {
		for _, p := range peers {
			say(fmt.Sprintf("%s, %d readers", p.name, n))
			r, err := compare(p, n, least)
			if err != nil {
				return figures{}, fmt.Errorf("%s, %d readers: %w", p.name, n, err)
			}
			f.Rows = append(f.Rows, r)
		}
	}
	if err := f.final(peers, least, say); err != nil {
		return figures{}, fmt.Errorf("P4k: %w", err)
	}
	return f, nil
}

// compare measures one peer.
func compare(p peer, readers int, least time.Duration) (r row, err error) {
	h := new(host)
	defer h.close(&err)
	rounds, err := play([]bench.Section{
		p.section(h, readers, p.buffer(readers), p.block(readers)),
		bench.ThroughMulticast(h, readers, multicastBlock, multicastBlocks(readers)),
		bench.ThroughChannels(h, readers, channelCapacity(readers), blockFor(readers)),
	}, least)
	if err != nil {
		return row{}, err
	}
	return row{
		Peer: p.name, Version: p.version(), Payload: p.payload, Buffer: p.buffer(readers), Readers: readers, Rounds: len(rounds[0]),
		NS: rounds.Median(0), Multicast: rounds.Median(1), Channels: rounds.Median(2),
		RatioMulticast: rounds.Ratio(0, 1), RatioChannels: rounds.Ratio(0, 2), Without: p.without(),
	}, nil
}

// play plays the sections for so long at least, and seven rounds.
func play(sections []bench.Section, least time.Duration) (bench.Rounds, error) {
	runtime.GC() // what others left behind is not collected at these ones' cost
	end := time.Now().Add(least)
	return bench.Play(sections, func() bool { return time.Now().Before(end) })
}

// abilities lists what the peers can do.
func abilities(peers []peer) (all []able) {
	for _, p := range peers {
		a := able{p.name, []string{}}
		for _, f := range p.features() {
			if f.has {
				a.Can = append(a.Can, f.what)
			}
		}
		all = append(all, a)
	}
	return all
}

// lacks lists what the peers can't do.
func lacks(peers []peer) (all []lack) {
	for _, p := range peers {
		for _, f := range p.features() {
			if !f.has {
				all = append(all, lack{p.name, f.what, f.fact})
			}
		}
	}
	for _, a := range absent() {
		all = append(all, lack{a.name, "be measured", a.why})
	}
	return all
}

func (f figures) encode(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// processor names what the machine has, where that can be read.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
