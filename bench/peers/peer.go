package main

import (
	"runtime/debug"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// A peer is another library that gives every event to every reader, and how it is used.
type peer struct {
	name, module string
	payload      string // value, or pointer where its way is one that all readers share
	whenFull     string // what becomes of an event for a reader that has no room for it, as it is used here

	// buffer is its best, for so many readers, of those that BenchmarkBuffers tries, the smaller of two that make no
	// difference; 0: it has none to choose.
	buffer func(readers int) int

	// slow tells that a delivery takes most of a microsecond: it is sent fewer events a round.
	slow bool

	// drops tells that events which don't fit a buffer are lost: not more than fit are sent before all have them.
	drops bool

	// open has so many readers of the crowd read, each on its own, until h is over, and returns what sends to them.
	open func(h bench.Host, crowd *bench.Crowd, readers, buffer int) (send func(events []core.Notification))

	// What it offers of what Spillway does.
	filter, prune, bound, prompt feature
}

// A feature is had or not, and what is true of it in the peer's source.
type feature struct {
	has        bool
	fact, what string
}

func yes(fact string) feature { return feature{has: true, fact: fact} }
func no(fact string) feature  { return feature{fact: fact} }

// features returns them in the order of the table's columns, each with what it is.
func (p peer) features() []feature {
	all := []feature{p.filter, p.prune, p.bound, p.prompt}
	for i, what := range features {
		all[i].what = what
	}
	return all
}

// features is what some peers can do and others can't; short the same in a word.
var (
	features = []string{"filter", "prune a slow reader", "bound its buffers", "deliver within a millisecond"}
	short    = []string{"filter", "pruning", "bound", "promptness"}
)

// without returns what of Spillway's promises the peer's figures are without.
func (p peer) without() []string {
	var all []string
	if p.payload != "value" {
		all = append(all, "a "+p.payload+" that all readers share")
	}
	all = append(all, p.whenFull)
	for i, f := range p.features() {
		if !f.has {
			all = append(all, "no "+short[i])
		}
	}
	return all
}

// always is the buffer that is best for any number of readers.
func always(size int) func(readers int) int { return func(int) int { return size } }

// byReaders is the buffer that is best for fewer than 100 readers, for fewer than 1,000, and for more. Where few read, a large
// one lets each of them run on for long; many large ones don't fit the caches.
func byReaders(few, hundreds, more int) func(readers int) int {
	return func(readers int) int {
		switch {
		case readers < 100:
			return few
		case readers < 1_000:
			return hundreds
		default:
			return more
		}
	}
}

// peers are all that there are.
func peers() []peer {
	return []peer{cskr(), dustin(), asaskevich(), moby(), broadcaster(), tailscale()}
}

// An absence is a peer that is not measured, and why.
type absence struct{ name, why string }

// absent are the peers that are missing here.
func absent() []absence {
	const why = "the module registry refused to list its versions when this was written"
	return []absence{{"kelindar/event", why}, {"teivah/broadcast", why}}
}

// version returns which one the program is built with.
func (p peer) version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == p.module {
				return m.Version
			}
		}
	}
	return "unknown"
}

// section returns the peer's side of a comparison.
func (p peer) section(h bench.Host, readers, buffer, block int) bench.Section {
	window := block
	if p.drops {
		window = buffer
	}
	crowd := bench.NewCrowd(readers, window)
	return bench.Through(h, p.name, crowd, block, p.open(h, crowd, readers, buffer))
}

// blockFor returns how many events a round sends to so many readers, who take a tenth of a second for it or less: so ten of
// them, and three to warm up, are seconds with whoever it is.
func blockFor(readers int) int {
	switch {
	case readers < 100:
		return 8192
	case readers < 1_000:
		return 4096
	case readers < 10_000:
		return 1024
	default:
		return 128
	}
}

// block is how many the peer is sent.
func (p peer) block(readers int) int {
	if p.slow {
		return blockFor(readers) / 4
	}
	return blockFor(readers)
}
