package main

import (
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every reader of every peer gets every event, however many it was sent before it looked.
func TestAllEventsArrive(t *testing.T) {
	for _, p := range peers() {
		for _, readers := range []int{1, 7} {
			t.Run(fmt.Sprintf("%s/%d", p.name, readers), func(t *testing.T) {
				if _, err := bench.Play([]bench.Section{p.section(t, readers, p.buffer(readers), 1024)}, func() bool { return false }); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A block is sent in parts of what fits, where more would be lost or pruned.
func TestBlocksAreWholeBuffers(t *testing.T) {
	for _, readers := range []int{1, 10, 100, 1_000, 10_000, 100_000} {
		block := blockFor(readers)
		if c := channelCapacity(readers); block%c != 0 {
			t.Errorf("%d readers: %d events are no multiple of the channels' %d", readers, block, c)
		}
		for _, p := range peers() {
			if b := p.buffer(readers); p.drops && block%b != 0 {
				t.Errorf("%d readers: %d events are no multiple of %s's %d", readers, block, p.name, b)
			}
		}
	}
}

// BenchmarkBuffers is how a peer's buffer was chosen: ns/delivery of some sizes, in turns.
func BenchmarkBuffers(b *testing.B) {
	sizes := []int{8, 32, 128, 512}
	for _, p := range peers() {
		if p.buffer(1) == 0 {
			continue
		}
		for _, readers := range []int{1, 10, 100, 1_000} {
			b.Run(fmt.Sprintf("peer=%s/n=%d", p.name, readers), func(b *testing.B) {
				sections := make([]bench.Section, len(sizes))
				for i, size := range sizes {
					sections[i] = p.section(b, readers, size, blockFor(readers))
				}
				report(b, sections, func(i int) string { return fmt.Sprintf("ns-buffer=%d", sizes[i]) })
			})
		}
	}
}

// BenchmarkChannels is how the capacity of Spillway's channels was chosen.
func BenchmarkChannels(b *testing.B) {
	sizes := []int{32, 128, 512, 1024}
	for _, readers := range []int{1, 10, 100, 1_000} {
		b.Run(fmt.Sprintf("n=%d", readers), func(b *testing.B) {
			sections := make([]bench.Section, len(sizes))
			for i, size := range sizes {
				sections[i] = bench.ThroughChannels(b, readers, size, blockFor(readers))
			}
			report(b, sections, func(i int) string { return fmt.Sprintf("ns-capacity=%d", sizes[i]) })
		})
	}
}

// BenchmarkMulticast is how the block of Spillway's multicast was chosen.
func BenchmarkMulticast(b *testing.B) {
	sizes := []int{256, 512, 1024, 2048, 8192}
	for _, readers := range []int{1, 10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("n=%d", readers), func(b *testing.B) {
			sections := make([]bench.Section, len(sizes))
			for i, size := range sizes {
				sections[i] = bench.ThroughMulticast(b, readers, size)
			}
			report(b, sections, func(i int) string { return fmt.Sprintf("ns-block=%d", sizes[i]) })
		})
	}
}

func report(b *testing.B, sections []bench.Section, unit func(i int) string) {
	b.Helper()
	rounds, err := bench.Play(sections, b.Loop)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	for i := range sections {
		b.ReportMetric(rounds.Median(i), unit(i))
	}
}
