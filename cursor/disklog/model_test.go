package disklog_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A model is a Log beside the plainest one that gives the right answers: a slice of all events there ever were.
type model struct {
	log     *disklog.Log
	fs      *vfs.MemFS
	segment int
	options disklog.Options
	wall    time.Time

	events []core.Envelope // by sequence
	first  uint64
	clocks map[region.Coordinate]uint32
	closed bool
}

// TestAgainstSlice: whatever is appended, again or in conflict, read by whatever Region from wherever, and dropped for
// whatever reason: the answers are a slice's.
func TestAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			options: disklog.Options{
				MaxEvents:   rapid.SampledFrom([]int{0, 1, 30, 700}).Draw(t, "max events"),
				MaxBytes:    rapid.SampledFrom([]int{0, 1, 20, 3000}).Draw(t, "max bytes"),
				MaxAge:      rapid.SampledFrom([]time.Duration{0, 0, time.Hour}).Draw(t, "max age"),
				MaxEntities: rapid.IntRange(1, 12).Draw(t, "max entities"),
				Repeats:     rapid.SampledFrom([]int{0, 7, 100}).Draw(t, "repeats"),
				Sync:        rapid.SampledFrom([]cursor.Level{cursor.EachGroup(), cursor.NoSync()}).Draw(t, "sync"),
			},
			wall:   time.UnixMilli(1_700_000_000_000),
			clocks: make(map[region.Coordinate]uint32),
		}
		m.fs, m.segment = vfs.NewMem(), rapid.SampledFrom([]int{5, 40, 8192}).Draw(t, "segment")
		m.open(t)
		defer func() { _ = m.log.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"":         m.check,
			"append":   m.append,
			"append 2": m.append, // more often than the others
			"read":     m.read,
			"read 2":   m.read,
			"compact":  m.compact,
			"wall": func(t *rapid.T) {
				m.wall = m.wall.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "minutes")) * time.Minute)
			},
			"close":  m.close,
			"reopen": m.reopen,
			"verify": m.verify,
		})
	})
}

func (m *model) open(t *rapid.T) {
	log, err := disklog.OpenOn("/log", m.options, m.fs, func() time.Time { return m.wall }, m.segment)
	if err != nil {
		t.Fatal(err)
	}
	m.log, m.closed = log, false
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
	m.retain(len(m.events))
}

func (m *model) verify(t *rapid.T) {
	var got []core.Envelope
	err := m.log.Verify(context.Background(), func(e core.Envelope) error {
		got = append(got, e)
		return nil
	})
	switch {
	case m.closed:
		if !errors.Is(err, cursor.ErrClosed) {
			t.Fatalf("Verify: %v, want ErrClosed", err)
		}
	case err != nil:
		t.Fatal(err)
	case !alike(got, m.events[m.first:]):
		t.Fatalf("Verify found %d events, want %d of %d", len(got), len(m.events)-int(m.first), len(m.events))
	}
}

// alike tells whether two lists of events are the same: an empty payload is one like any other.
func alike(a, b []core.Envelope) bool {
	return slices.EqualFunc(a, b, func(a, b core.Envelope) bool {
		return a.Notification == b.Notification && a.Time == b.Time && bytes.Equal(a.Payload, b.Payload)
	})
}

var (
	entities = rapid.SampledFrom([]string{"a", "a:b", "a:b:c", "ab", "b", "b:a"})
	scopes   = rapid.SampledFrom([]string{"shop", "bank"})
	kinds    = rapid.SampledFrom([]region.Kind{0x1000, 0x1002, 0x2002, 0x000f})
	lanes    = rapid.Uint32Range(0, 2)
)

func (m *model) draft(t *rapid.T) cursor.Draft {
	d := cursor.Draft{
		EventID:    core.ID{0: 1, 15: rapid.Byte().Draw(t, "id")}, // few: some come again, as they were or otherwise
		Coordinate: coordinate(t, entities.Draw(t, "entity"), scopes.Draw(t, "scope")),
		Kind:       kinds.Draw(t, "kind"),
		Lane:       lanes.Draw(t, "lane"),
		Depth:      lanes.Draw(t, "depth"),
		Time:       7,
		Payload:    make([]byte, rapid.IntRange(0, 9).Draw(t, "bytes")),
	}
	if rapid.IntRange(0, 9).Draw(t, "expects") == 0 {
		d.Expect = cursor.ExpectClock(m.clocks[d.Coordinate] + rapid.Uint32Range(0, 1).Draw(t, "off by"))
	}
	if n := uint64(len(m.events)); n > m.first && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		d = remade(m.events[rapid.Uint64Range(m.first, n-1).Draw(t, "which")])
	}
	return d
}

// remade returns the Draft that e was made of.
func remade(e core.Envelope) cursor.Draft {
	return cursor.Draft{
		EventID: e.EventID, CorrelationID: e.CorrelationID, CausationID: e.CausationID, Coordinate: e.Coordinate, Kind: e.Kind,
		Lane: e.Position.Lane, Depth: e.Position.Depth, Time: e.Time, Payload: e.Payload,
	}
}

func (m *model) append(t *rapid.T) {
	var ds []cursor.Draft
	for range rapid.IntRange(0, 6).Draw(t, "drafts") {
		ds = append(ds, m.draft(t))
	}
	if rapid.IntRange(0, 19).Draw(t, "many") == 0 {
		for range 300 {
			d := m.draft(t)
			d.EventID = core.ID{}
			ds = append(ds, d)
		}
	}
	made, err := m.log.Append(context.Background(), ds)
	want, refused := m.expect(ds)
	if (err == nil) != (refused == nil) || refused != nil && err.Error() != refused.Error() {
		t.Fatalf("Append: %v, want %v", err, refused)
	}
	if err != nil {
		return
	}
	if len(made) != len(ds) {
		t.Fatalf("%d envelopes for %d drafts", len(made), len(ds))
	}
	before := len(m.events)
	for i, e := range made {
		if want[i].EventID == (core.ID{}) {
			want[i].EventID = e.EventID
		}
		want[i].Position.WallMS, want[i].Position.Counter = e.Position.WallMS, e.Position.Counter
		if !alike([]core.Envelope{e}, want[i:i+1]) {
			t.Fatalf("draft %d made\n%+v; want\n%+v", i, e, want[i])
		}
		switch n := uint64(len(m.events)); {
		case e.Sequence == n:
			m.events = append(m.events, e)
			m.clocks[e.Coordinate] = e.Position.Sequence
		case !alike([]core.Envelope{e}, m.events[e.Sequence:e.Sequence+1]):
			t.Fatalf("draft %d is answered\n%+v; at first\n%+v", i, e, m.events[e.Sequence])
		}
	}
	if len(m.events) > before {
		m.retain(len(m.events))
	}
}

// expect returns what a batch is answered with, but for clocks and ids that the Log makes.
func (m *model) expect(ds []cursor.Draft) (made []core.Envelope, err error) {
	if err := m.log.Limits().Check(ds); err != nil {
		return nil, err
	}
	if m.closed {
		return nil, cursor.ErrClosed
	}
	events := slices.Clip(m.events)
	clocks := maps.Clone(m.clocks)
	for i, d := range ds {
		if at := find(events, m.known(), d.EventID); at >= 0 {
			if !d.Made(&events[at]) {
				return nil, &cursor.DraftError{Index: i, Err: &cursor.DuplicateError{EventID: d.EventID, Sequence: uint64(at)}}
			}
			made = append(made, events[at])
			continue
		}
		n, known := clocks[d.Coordinate]
		if most := m.options.MaxEntities; !known && len(clocks) == most {
			return nil, &cursor.DraftError{Index: i, Err: &cursor.LimitError{Limit: "entities", Got: uint64(most) + 1, Most: uint64(most)}}
		}
		if want, ok := d.Expect.Clock(); ok && want != n {
			return nil, &cursor.DraftError{Index: i, Err: &cursor.ConflictError{Coordinate: d.Coordinate, Expected: want, Actual: n}}
		}
		clocks[d.Coordinate] = n + 1
		e := core.Envelope{Time: d.Time, Payload: d.Payload}
		e.EventID, e.Coordinate, e.Kind, e.Sequence = d.EventID, d.Coordinate, d.Kind, uint64(len(events))
		e.Position = region.Position{Depth: d.Depth, Lane: d.Lane, Sequence: n + 1}
		events, made = append(events, e), append(made, e)
	}
	return made, nil
}

// known returns the sequence from which on ids are recognized.
func (m *model) known() uint64 {
	if n := uint64(len(m.events)); m.options.Repeats > 0 {
		return max(m.first, n-min(n, uint64(m.options.Repeats)))
	}
	return m.first
}

func find(events []core.Envelope, first uint64, id core.ID) int {
	for at := len(events) - 1; at >= int(first); at-- {
		if events[at].EventID == id && id != (core.ID{}) {
			return at
		}
	}
	return -1
}

// retain drops what an Append drops, when so many events are there after it.
func (m *model) retain(count int) {
	bytes := 0
	for _, e := range m.events[m.first:] {
		bytes += len(e.Payload)
	}
	drop := func() {
		bytes -= len(m.events[m.first].Payload)
		m.first++
	}
	for m.options.MaxAge > 0 && m.first < uint64(count) {
		if born := time.UnixMilli(int64(m.events[m.first].Position.WallMS)); m.wall.Sub(born) < m.options.MaxAge {
			break
		}
		drop()
	}
	for m.options.MaxEvents > 0 && count-int(m.first) > m.options.MaxEvents || m.options.MaxBytes > 0 && bytes > m.options.MaxBytes {
		drop()
	}
}

func (m *model) read(t *rapid.T) {
	n := uint64(len(m.events))
	from := rapid.Uint64Range(m.first-min(m.first, 2), n+2).Draw(t, "from")
	r := regions(t)
	dst := make([]core.Envelope, rapid.SampledFrom([]int{0, 1, 3, 50, 2000}).Draw(t, "room"))
	got, next, err := m.log.Read(context.Background(), r, from, dst)
	var refused error
	switch {
	case m.closed:
		refused = cursor.ErrClosed
	case from < m.first:
		refused = &cursor.CompactedError{From: from, First: m.first}
	case from > n:
		refused = &cursor.BeyondError{From: from, Next: n}
	}
	if refused != nil {
		if err == nil || err.Error() != refused.Error() || got != 0 || next != from {
			t.Fatalf("Read from %d: %d, %d, %v; want %v", from, got, next, err, refused)
		}
		return
	}
	if err != nil || next < from || next > n {
		t.Fatalf("Read from %d of %d: next %d, %v", from, n, next, err)
	}
	if next == from && len(dst) > 0 && from < n {
		t.Fatalf("Read from %d of %d doesn't move on", from, n)
	}
	var want []core.Envelope
	for i := from; i < next; i++ {
		if cursor.Selects(&r, &m.events[i].Notification) {
			want = append(want, m.events[i])
		}
	}
	if got != len(want) || got > 0 && !alike(dst[:got], want) {
		t.Fatalf("Read %s from %d to %d: %d events, want %d\n%v\n%v", r, from, next, got, len(want), dst[:got], want)
	}
	for _, e := range dst[got:] {
		if e.Sequence != 0 || e.Payload != nil {
			t.Fatalf("Read wrote beyond the %d that it returned", got)
		}
	}
}

// regions draws a Region of any shape.
func regions(t *rapid.T) (r region.Region) {
	if rapid.Bool().Draw(t, "by entity") {
		r.Entity = rapid.OneOf(entities, rapid.Just("nobody")).Draw(t, "entity")
	}
	if rapid.Bool().Draw(t, "by scope") {
		r.Scope = rapid.OneOf(scopes, rapid.Just("nowhere")).Draw(t, "scope")
	}
	switch rapid.IntRange(0, 3).Draw(t, "by kind") {
	case 0:
		r.Kind = region.OneKind(kinds.Draw(t, "kind"))
	case 1:
		r.Kind = region.InCategory(rapid.SampledFrom([]uint8{0, 1, 2, 3}).Draw(t, "category"))
	}
	if rapid.Bool().Draw(t, "by lane") {
		r.Lane = region.OneLane(lanes.Draw(t, "lane"))
	}
	if rapid.IntRange(0, 3).Draw(t, "by clock") == 0 {
		from := rapid.Uint32Range(0, 9).Draw(t, "from clock")
		r.Clock = region.Clocks(from, from+rapid.Uint32Range(0, 9).Draw(t, "clocks"))
	}
	return r
}

func (m *model) compact(t *rapid.T) {
	n := uint64(len(m.events))
	first := rapid.Uint64Range(0, n+1).Draw(t, "first")
	err := m.log.Compact(context.Background(), first)
	switch {
	case m.closed:
		if err != cursor.ErrClosed {
			t.Fatalf("Compact: %v, want ErrClosed", err)
		}
	case first > n:
		if !errors.Is(err, cursor.ErrBeyond) {
			t.Fatalf("Compact(%d) of %d: %v, want ErrBeyond", first, n, err)
		}
	case err != nil:
		t.Fatal(err)
	default:
		m.first = max(m.first, first)
	}
}

func (m *model) close(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 {
		t.Skip("seldom")
	}
	m.closed = true
	if err := m.log.Close(); err != nil {
		t.Fatal(err)
	}
}

// check compares what shows without a change.
func (m *model) check(t *rapid.T) {
	b, err := m.log.Bounds(context.Background())
	if m.closed {
		if err != cursor.ErrClosed {
			t.Fatalf("Bounds: %v, want ErrClosed", err)
		}
		return
	}
	if want := (cursor.Bounds{First: m.first, Next: uint64(len(m.events))}); b != want || err != nil {
		t.Fatalf("Bounds: %+v, %v; want %+v", b, err, want)
	}
	kept := uint64(0)
	for _, e := range m.events[m.first:] {
		kept += uint64(len(e.Payload))
	}
	if s := m.log.Stats(); s.Bytes != kept || s.Entities != uint64(len(m.clocks)) || s.First != m.first {
		t.Fatalf("Stats: %+v; want %d bytes, %d entities", s, kept, len(m.clocks))
	}
	var last region.Position
	for i, e := range m.events {
		p := e.Position
		if i > 0 && (p.WallMS < last.WallMS || p.WallMS == last.WallMS && p.Counter <= last.Counter) {
			t.Fatalf("event %d at %s, after %s", i, p, last)
		}
		last = p
	}
}
