package memlog_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/cursor/internal/enginetest"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// TestAgainstSlice: whatever is appended, again or in conflict, read by whatever Region from wherever, and dropped for
// whatever reason: the answers are a slice's.
func TestAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := memlog.Options{
			MaxEvents:   rapid.IntRange(1, 700).Draw(t, "max events"),
			MaxBytes:    rapid.SampledFrom([]int{0, 1, 20, 3000}).Draw(t, "max bytes"),
			MaxAge:      rapid.SampledFrom([]time.Duration{0, 0, time.Hour}).Draw(t, "max age"),
			MaxEntities: rapid.IntRange(1, 12).Draw(t, "max entities"),
		}
		m := enginetest.NewModel(enginetest.Kept{MaxEvents: o.MaxEvents, MaxBytes: o.MaxBytes, MaxAge: o.MaxAge, MaxEntities: o.MaxEntities})
		log, err := memlog.OpenAt(o, func() time.Time { return m.Wall })
		if err != nil {
			t.Fatal(err)
		}
		m.Log = log
		defer func() { _ = log.Close() }()
		actions := m.Actions()
		actions[""] = func(t *rapid.T) {
			open, _ := m.Check(t)
			if got, want := log.Remembered(), len(m.Events)-int(m.First); open && got != want {
				t.Fatalf("%d ids are known of %d events", got, want)
			}
		}
		t.Repeat(actions)
	})
}
