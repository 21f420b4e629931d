package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// How long does it take to open a log again? 10M events with SPILLWAY_LONG=1.
func BenchmarkRecovery(b *testing.B) {
	counts := []int{1_000_000}
	if os.Getenv("SPILLWAY_LONG") != "" {
		counts = append(counts, 10_000_000)
	}
	for _, n := range counts {
		b.Run(fmt.Sprintf("events=%dM", n/1_000_000), func(b *testing.B) {
			dir := filepath.Join(scratch(b), "log")
			log, err := disklog.Open(dir, disklog.Options{Sync: cursor.NoSync()})
			if err != nil {
				b.Fatal(err)
			}
			ds := DurableDrafts(b)
			for range n / len(ds) {
				if _, err := log.Append(context.Background(), ds); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				b.StopTimer()
				if err := log.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if log, err = disklog.Open(dir, disklog.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			if s := log.Stats(); s.Next != uint64(n) {
				b.Errorf("%d events are there, want %d", s.Next, n)
			}
			if err := log.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
