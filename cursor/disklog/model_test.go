package disklog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/cursor/internal/enginetest"
)

// A model is a Log beside a slice.
type model struct {
	*enginetest.Model
	log     *disklog.Log
	fs      *vfs.MemFS
	segment int
	options disklog.Options
}

// TestAgainstSlice: whatever is appended, again or in conflict, read by whatever Region from wherever, and dropped for
// whatever reason: the answers are a slice's, also of a Log that is opened again.
func TestAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := disklog.Options{
			MaxEvents:   rapid.SampledFrom([]int{0, 1, 30, 700}).Draw(t, "max events"),
			MaxBytes:    rapid.SampledFrom([]int{0, 1, 20, 3000}).Draw(t, "max bytes"),
			MaxAge:      rapid.SampledFrom([]time.Duration{0, 0, time.Hour}).Draw(t, "max age"),
			MaxEntities: rapid.IntRange(1, 12).Draw(t, "max entities"),
			Repeats:     rapid.SampledFrom([]int{0, 7, 100}).Draw(t, "repeats"),
			Sync:        rapid.SampledFrom([]cursor.Level{cursor.EachGroup(), cursor.NoSync()}).Draw(t, "sync"),
		}
		m := &model{
			Model: enginetest.NewModel(enginetest.Kept{
				MaxEvents: o.MaxEvents, MaxBytes: o.MaxBytes, MaxAge: o.MaxAge, MaxEntities: o.MaxEntities, Repeats: o.Repeats,
			}),
			options: o, fs: vfs.NewMem(), segment: rapid.SampledFrom([]int{5, 40, 8192}).Draw(t, "segment"),
		}
		m.open(t)
		defer func() { _ = m.log.Close() }()
		actions := m.Actions()
		actions[""], actions["reopen"], actions["verify"] = m.check, m.reopen, m.verify
		t.Repeat(actions)
	})
}

func (m *model) open(t *rapid.T) {
	log, err := disklog.OpenOn("/log", m.options, m.fs, func() time.Time { return m.Wall }, m.segment)
	if err != nil {
		t.Fatal(err)
	}
	m.log, m.Log = log, log
}

func (m *model) reopen(t *rapid.T) {
	id := m.log.ID()
	if err := m.log.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t)
	if m.log.ID() != id {
		t.Fatal("it is another log when it is opened again")
	}
	m.Reopened()
}

func (m *model) verify(t *rapid.T) {
	var got []core.Envelope
	err := m.log.Verify(context.Background(), func(e core.Envelope) error {
		got = append(got, e)
		return nil
	})
	switch {
	case m.Closed:
		if !errors.Is(err, cursor.ErrClosed) {
			t.Fatalf("Verify: %v, want ErrClosed", err)
		}
	case err != nil:
		t.Fatal(err)
	case !alike(got, m.Events[m.First:]):
		t.Fatalf("Verify found %d events, want %d of %d", len(got), len(m.Events)-int(m.First), len(m.Events))
	}
}

func (m *model) check(t *rapid.T) {
	open, kept := m.Check(t)
	if s := m.log.Stats(); open && (s.Bytes != kept || s.Entities != m.Entities() || s.First != m.First) {
		t.Fatalf("Stats: %+v; want %d bytes, %d entities", s, kept, m.Entities())
	}
}

func alike(a, b []core.Envelope) bool { return enginetest.Alike(a, b) }

func remade(e core.Envelope) cursor.Draft { return enginetest.Remade(e) }
