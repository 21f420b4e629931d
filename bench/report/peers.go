package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spillwayhq/spillway/bench/judge"
)

// Peers are what bench/peers measured of other libraries: the document that go run ./bench/gate --peers --json prints.
type Peers struct {
	Machine string `json:"machine"`
	Go      string `json:"go"`
	Rows    []Peer `json:"rows"`
	Cannot  []Lack `json:"cannot"`
	P4k     *P4k   `json:"p4k"`
}

// A Peer is one library with so many readers. Its ratios are its time divided by Spillway's: below 1 it wins.
type Peer struct {
	Peer           string  `json:"peer"`
	Version        string  `json:"version"`
	Payload        string  `json:"payload"`
	Readers        int     `json:"readers"`
	NS             float64 `json:"ns"`
	RatioMulticast float64 `json:"ratio_multicast"`
	RatioChannels  float64 `json:"ratio_channels"`

	Without []string `json:"without,omitempty"` // what the figure is without, of what Spillway promises with its own
}

// A Lack is something that a library can't do, and where its source shows it.
type Lack struct {
	Peer string `json:"peer"`
	What string `json:"what"`
	Why  string `json:"why"`
}

// P4k is the row of that name: Spillway against the fastest of them, with a hundred readers.
type P4k struct {
	Fastest string  `json:"fastest"`
	This    float64 `json:"this"`
	Against float64 `json:"against"`
	Ratio   float64 `json:"ratio"`
	Target  float64 `json:"target"`
	Stretch float64 `json:"stretch"`
}

// ReadPeers reads the document.
func ReadPeers(in io.Reader) (*Peers, error) {
	var p Peers
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return nil, fmt.Errorf("the peers' figures: %w", err)
	}
	if len(p.Rows) == 0 {
		return nil, fmt.Errorf("the peers' figures: there are none; want what go run ./bench/gate --peers --json prints")
	}
	return &p, nil
}

// Sorted are the rows with the fewest readers first, and the quickest first among those with as many.
func (p Peers) Sorted() []Peer {
	return slices.SortedStableFunc(slices.Values(p.Rows), func(a, b Peer) int {
		return cmp.Or(cmp.Compare(a.Readers, b.Readers), cmp.Compare(a.NS, b.NS))
	})
}

// Lacks says in short what stands against a figure: what the row says it is without, or what the library can't do.
func (p Peers) Lacks(row Peer) string {
	what := slices.Clone(row.Without)
	if len(what) == 0 {
		for _, l := range p.Cannot {
			if l.Peer == row.Peer {
				what = append(what, "can't "+l.What)
			}
		}
	}
	return strings.Join(what, "; ")
}

// Wins says which of Spillway's ways a library is quicker than; "" where it is slower than both.
func (p Peer) Wins() string {
	switch multicast, channels := p.RatioMulticast < 1, p.RatioChannels < 1; {
	case multicast && channels:
		return "WINS over both"
	case multicast:
		return "WINS over multicast"
	case channels:
		return "WINS over channels"
	}
	return ""
}

// Losses are the rows where a library wins.
func (p Peers) Losses() []Peer {
	return slices.DeleteFunc(p.Sorted(), func(r Peer) bool { return r.Wins() == "" })
}

// Tag is a version, of which one without a tag keeps its date and the beginning of its commit.
func (p Peer) Tag() string {
	const untagged = "v0.0.0-20060102150405-"
	if len(p.Version) < len(untagged)+7 || !strings.HasPrefix(p.Version, untagged[:7]) {
		return p.Version
	}
	return p.Version[7:15] + "-" + p.Version[len(untagged):len(untagged)+7]
}

// Time is a delivery's, of the library.
func (p Peer) Time() string { return duration(p.NS, three) }

// Multicast is how many times as long as Spillway's multicast it took.
func (p Peer) Multicast() string { return three(p.RatioMulticast) }

// Channels is the same for Spillway's channels.
func (p Peer) Channels() string { return three(p.RatioChannels) }

// String is the row with its verdict.
func (p P4k) String() string {
	verdict := judge.FallsShort
	switch {
	case p.Ratio <= p.Stretch:
		verdict = judge.ReachesStretch
	case p.Ratio <= p.Target:
		verdict = judge.Passes
	}
	return fmt.Sprintf("P4k: with 100 readers a delivery takes Spillway's multicast %s, and %s, the fastest, %s: ratio 1/%.1f, target 1/%.0f, stretch 1/%.0f: %s",
		duration(p.This, three), p.Fastest, duration(p.Against, three), 1/p.Ratio, 1/p.Target, 1/p.Stretch, verdict)
}
