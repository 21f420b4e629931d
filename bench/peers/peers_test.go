package main

import (
	"fmt"
	"strings"
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
		if block, c := blockFor(readers), channelCapacity(readers); block%c != 0 {
			t.Errorf("%d readers: %d events are no multiple of the channels' %d", readers, block, c)
		}
		for _, p := range peers() {
			if block, b := p.block(readers), p.buffer(readers); p.drops && block%b != 0 {
				t.Errorf("%d readers: %d events are no multiple of %s's %d", readers, block, p.name, b)
			}
		}
	}
}

// The benchmarks are how the buffers were chosen: ns/delivery of some sizes, in turns; seven rounds of each take a few minutes:
//
//	go test -run '^$' -bench . -benchtime 1x

// BenchmarkBuffers is of the peers' buffers. One that a block fits is as good as any larger.
func BenchmarkBuffers(b *testing.B) {
	for _, p := range peers() {
		if p.buffer(1) == 0 {
			continue
		}
		b.Run("peer="+strings.ReplaceAll(p.name, "/", "_"), func(b *testing.B) {
			compareSizes(b, "buffer", []int{32, 128, 512, 2048, 8192}, func(b *testing.B, readers, size int) (bench.Section, bool) {
				block := p.block(readers)
				if size > block {
					return bench.Section{}, false
				}
				return p.section(b, readers, size, block), true
			})
		})
	}
}

// BenchmarkChannels is of the capacity of Spillway's channels.
func BenchmarkChannels(b *testing.B) {
	compareSizes(b, "capacity", []int{32, 128, 512, 2048, 8192}, func(b *testing.B, readers, size int) (bench.Section, bool) {
		block := blockFor(readers)
		if size > block {
			return bench.Section{}, false
		}
		return bench.ThroughChannels(b, readers, size, block), true
	})
}

// BenchmarkMulticast is of the block of Spillway's multicast.
func BenchmarkMulticast(b *testing.B) {
	compareSizes(b, "block", []int{512, 1024, 2048, 4096, 8192}, func(b *testing.B, readers, size int) (bench.Section, bool) {
		return bench.ThroughMulticast(b, readers, size, multicastBlocks(readers)*multicastBlock/size), true
	})
}

// compareSizes runs the sections of the sizes that there are any of, with every number of readers.
func compareSizes(b *testing.B, of string, sizes []int, section func(b *testing.B, readers, size int) (bench.Section, bool)) {
	b.Helper()
	for _, readers := range []int{1, 10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("n=%d", readers), func(b *testing.B) {
			var (
				sections []bench.Section
				units    []string
			)
			for _, size := range sizes {
				if s, ok := section(b, readers, size); ok {
					sections = append(sections, s)
					units = append(units, fmt.Sprintf("ns-%s=%d", of, size))
				}
			}
			rounds, err := bench.Play(sections, b.Loop)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op")
			for i, unit := range units {
				b.ReportMetric(rounds.Median(i), unit)
			}
		})
	}
}
