package main

import (
	"fmt"
	"slices"
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

// p4k is that row: nanoseconds a delivery of Spillway and of the fastest peer, and the ratio of the first to the second.
type p4k struct {
	Fastest   string     `json:"fastest"`
	This      float64    `json:"this"`
	Against   float64    `json:"against"`
	Ratio     float64    `json:"ratio"`
	Target    float64    `json:"target"`
	Stretch   float64    `json:"stretch"`
	Finalists []finalist `json:"finalists"`
}

// A finalist is one of the peers that the fastest was found among, in turns of all of them.
type finalist struct {
	Peer string  `json:"peer"`
	NS   float64 `json:"ns"`
}

// final plays those against each other that may be the fastest. In the rows each had its own time, and a shared machine is
// not as fast at one time as at another.
func (f *figures) final(peers []peer, least time.Duration, say func(what string)) (err error) {
	names := finalists(f.Rows)
	if len(names) == 0 {
		return nil
	}
	say("P4k: " + strings.Join(names, ", "))
	h := new(host)
	defer h.close(&err)
	sections := []bench.Section{bench.ThroughMulticast(h, p4kReaders, multicastBlock, multicastBlocks(p4kReaders))}
	for _, name := range names {
		p := peers[slices.IndexFunc(peers, func(p peer) bool { return p.name == name })]
		sections = append(sections, p.section(h, p4kReaders, p.buffer(p4kReaders), p.block(p4kReaders)))
	}
	rounds, err := play(sections, least)
	if err != nil {
		return err
	}
	f.P4k = judge(names, rounds)
	return nil
}

// finalists returns the names of the peers who took less than twice as many times as long as Spillway in their turns as the
// one with the fewest did.
func finalists(rows []row) (names []string) {
	least := 0.0
	for _, r := range rows {
		if r.Readers == p4kReaders && (least == 0 || r.RatioMulticast < least) {
			least = r.RatioMulticast
		}
	}
	for _, r := range rows {
		if r.Readers == p4kReaders && r.RatioMulticast < 2*least {
			names = append(names, r.Peer)
		}
	}
	return names
}

// judge returns the row, of rounds of Spillway's multicast and then the finalists.
func judge(names []string, rounds bench.Rounds) *p4k {
	p := &p4k{Target: p4kTarget, Stretch: p4kStretch, This: rounds.Median(0)}
	for i, name := range names {
		ns, ratio := rounds.Median(i+1), rounds.Ratio(0, i+1)
		p.Finalists = append(p.Finalists, finalist{name, ns})
		if ratio > p.Ratio {
			p.Fastest, p.Against, p.Ratio = name, ns, ratio
		}
	}
	return p
}

// String is the row with its verdict.
func (p p4k) String() string {
	verdict := "SHORT of the target"
	switch {
	case p.Ratio <= p.Stretch:
		verdict = "stretch reached"
	case p.Ratio <= p.Target:
		verdict = "target reached"
	}
	in := make([]string, len(p.Finalists))
	for i, f := range p.Finalists {
		in[i] = fmt.Sprintf("%s %.4g", f.Peer, f.NS)
	}
	return fmt.Sprintf("P4k: %.3g ns against %.4g of %s, the fastest with %d readers in turns of all that may be (%s): "+
		"ratio 1/%.1f, target 1/%.0f, stretch 1/%.0f: %s",
		p.This, p.Against, p.Fastest, p4kReaders, strings.Join(in, ", "), 1/p.Ratio, 1/p.Target, 1/p.Stretch, verdict)
}
