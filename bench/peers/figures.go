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

// P4k: a Notification to 100 multicast readers, against the fastest peer.
const (
	p4kReaders = 100
	p4kTarget  = 1.0 / 12
	p4kStretch = 1.0 / 20
)

// figures are what a run found.
type figures struct {
	Machine string `json:"machine"`
	Go      string `json:"go"`
	Rows    []row  `json:"rows"`
	Cannot  []lack `json:"cannot"`
	P4k     *p4k   `json:"p4k"` // none without 100 readers
}

// A row is one peer with so many readers. Its ratios are its time divided by Spillway's: below 1 it wins.
type row struct {
	Peer           string  `json:"peer"`
	Version        string  `json:"version"`
	Payload        string  `json:"payload"`
	Readers        int     `json:"readers"`
	NS             float64 `json:"ns"` // a delivery
	RatioMulticast float64 `json:"ratio_multicast"`
	RatioChannels  float64 `json:"ratio_channels"`

	multicast, channels, inverse float64 // Spillway's own, and its multicast's ratio to the peer
}

// A lack is something that a peer can't do, and where its source shows it.
type lack struct {
	Peer string `json:"peer"`
	What string `json:"what"`
	Why  string `json:"why"`
}

// p4k is that row: nanoseconds a delivery of Spillway and of the fastest peer, and the ratio of the first to the second.
type p4k struct {
	Fastest string  `json:"fastest"`
	This    float64 `json:"this"`
	Against float64 `json:"against"`
	Ratio   float64 `json:"ratio"`
	Target  float64 `json:"target"`
	Stretch float64 `json:"stretch"`
}

// measure compares each peer with Spillway's multicast and its channels, in turns of the three.
func measure(peers []peer, readers []int, least time.Duration, say func(what string)) (figures, error) {
	f := figures{
		Machine: fmt.Sprintf("%s, %d CPUs, GOMAXPROCS %d", processor(), runtime.NumCPU(), runtime.GOMAXPROCS(0)),
		Go:      runtime.Version(),
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
	f.P4k = judge(f.Rows)
	return f, nil
}

// compare measures one peer.
func compare(p peer, readers int, least time.Duration) (r row, err error) {
	h := new(host)
	defer h.close(&err)
	block := blockFor(readers)
	sections := []bench.Section{
		p.section(h, readers, p.buffer(readers), block),
		bench.ThroughMulticast(h, readers, multicastBlock),
		bench.ThroughChannels(h, readers, channelCapacity(readers), block),
	}
	runtime.GC() // what others left behind is not collected at this one's cost
	end := time.Now().Add(least)
	rounds, err := bench.Play(sections, func() bool { return time.Now().Before(end) })
	if err != nil {
		return row{}, err
	}
	return row{
		Peer: p.name, Version: p.version(), Payload: p.payload, Readers: readers,
		NS: rounds.Median(0), multicast: rounds.Median(1), channels: rounds.Median(2),
		RatioMulticast: rounds.Ratio(0, 1), RatioChannels: rounds.Ratio(0, 2), inverse: rounds.Ratio(1, 0),
	}, nil
}

// judge returns P4k, or nil if it was not measured. The fastest is the one that takes the fewest times as long as
// Spillway did in its turns: the peers themselves were not measured in turns.
func judge(rows []row) *p4k {
	var found *p4k
	for _, r := range rows {
		if r.Readers == p4kReaders && (found == nil || r.inverse > found.Ratio) {
			found = &p4k{Fastest: r.Peer, This: r.multicast, Against: r.NS, Ratio: r.inverse, Target: p4kTarget, Stretch: p4kStretch}
		}
	}
	return found
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
