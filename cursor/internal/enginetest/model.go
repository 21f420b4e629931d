package enginetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A Kept is what an engine is told to keep; 0 is any number, of Repeats all that are kept.
type Kept struct {
	MaxEvents, MaxBytes, MaxEntities, Repeats int
	MaxAge                                    time.Duration
}

// A Model is a Log beside the plainest one that gives the right answers: a slice of all events there ever were.
type Model struct {
	Log    Log
	Wall   time.Time       // the Log's wall clock
	Events []core.Envelope // by sequence
	First  uint64
	Closed bool

	kept   Kept
	clocks map[region.Coordinate]uint32
}

// NewModel returns one for a Log that is yet to be opened.
func NewModel(kept Kept) *Model {
	return &Model{kept: kept, Wall: time.UnixMilli(1_700_000_000_000), clocks: make(map[region.Coordinate]uint32)}
}

// Actions returns what any Log can be asked for, by name: whatever is appended, again or in conflict, read by whatever Region
// from wherever, and dropped for whatever reason.
func (m *Model) Actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"append":   m.append,
		"append 2": m.append, // more often than the others
		"read":     m.read,
		"read 2":   m.read,
		"compact":  m.compact,
		"wall": func(t *rapid.T) {
			m.Wall = m.Wall.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "minutes")) * time.Minute)
		},
		"close": m.close,
	}
}

// Entities returns how many the Log knows.
func (m *Model) Entities() uint64 { return uint64(len(m.clocks)) }

// Reopened has the Model know that the Log was opened again: what is too much by then is dropped.
func (m *Model) Reopened() {
	m.Closed = false
	m.retain(len(m.Events))
}

// Alike tells whether two lists of events are the same: an empty payload is one like any other.
func Alike(a, b []core.Envelope) bool {
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

func drawn(t *rapid.T) region.Coordinate {
	c, err := region.NewCoordinate(entities.Draw(t, "entity"), scopes.Draw(t, "scope"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *Model) draft(t *rapid.T) cursor.Draft {
	d := cursor.Draft{
		EventID:    core.ID{0: 1, 15: rapid.Byte().Draw(t, "id")}, // few: some come again, as they were or otherwise
		Coordinate: drawn(t),
		Kind:       kinds.Draw(t, "kind"),
		Lane:       lanes.Draw(t, "lane"),
		Depth:      lanes.Draw(t, "depth"),
		Time:       7,
		Payload:    make([]byte, rapid.IntRange(0, 9).Draw(t, "bytes")),
	}
	if rapid.IntRange(0, 9).Draw(t, "expects") == 0 {
		d.Expect = cursor.ExpectClock(m.clocks[d.Coordinate] + rapid.Uint32Range(0, 1).Draw(t, "off by"))
	}
	if n := uint64(len(m.Events)); n > m.First && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		d = Remade(m.Events[rapid.Uint64Range(m.First, n-1).Draw(t, "which")])
	}
	return d
}

// Remade returns the Draft that e was made of.
func Remade(e core.Envelope) cursor.Draft {
	return cursor.Draft{
		EventID: e.EventID, CorrelationID: e.CorrelationID, CausationID: e.CausationID, Coordinate: e.Coordinate, Kind: e.Kind,
		Lane: e.Position.Lane, Depth: e.Position.Depth, Time: e.Time, Payload: e.Payload,
	}
}

func (m *Model) append(t *rapid.T) {
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
	made, err := m.Log.Append(context.Background(), ds)
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
	before := len(m.Events)
	for i, e := range made {
		if want[i].EventID == (core.ID{}) {
			want[i].EventID = e.EventID
		}
		want[i].Position.WallMS, want[i].Position.Counter = e.Position.WallMS, e.Position.Counter
		if !Alike([]core.Envelope{e}, want[i:i+1]) {
			t.Fatalf("draft %d made\n%+v; want\n%+v", i, e, want[i])
		}
		switch n := uint64(len(m.Events)); {
		case e.Sequence == n:
			m.Events = append(m.Events, e)
			m.clocks[e.Coordinate] = e.Position.Sequence
		case !Alike([]core.Envelope{e}, m.Events[e.Sequence:e.Sequence+1]):
			t.Fatalf("draft %d is answered\n%+v; at first\n%+v", i, e, m.Events[e.Sequence])
		}
	}
	if len(m.Events) > before {
		m.retain(len(m.Events))
	}
}

// expect returns what a batch is answered with, but for clocks and ids that the Log makes.
func (m *Model) expect(ds []cursor.Draft) (made []core.Envelope, err error) {
	if err := m.Log.Limits().Check(ds); err != nil {
		return nil, err
	}
	if m.Closed {
		return nil, cursor.ErrClosed
	}
	events := slices.Clip(m.Events)
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
		if most := m.kept.MaxEntities; !known && len(clocks) == most {
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
func (m *Model) known() uint64 {
	if n := uint64(len(m.Events)); m.kept.Repeats > 0 {
		return max(m.First, n-min(n, uint64(m.kept.Repeats)))
	}
	return m.First
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
func (m *Model) retain(count int) {
	bytes := 0
	for _, e := range m.Events[m.First:] {
		bytes += len(e.Payload)
	}
	drop := func() {
		bytes -= len(m.Events[m.First].Payload)
		m.First++
	}
	for m.kept.MaxAge > 0 && m.First < uint64(count) {
		if born := time.UnixMilli(int64(m.Events[m.First].Position.WallMS)); m.Wall.Sub(born) < m.kept.MaxAge {
			break
		}
		drop()
	}
	for m.kept.MaxEvents > 0 && count-int(m.First) > m.kept.MaxEvents || m.kept.MaxBytes > 0 && bytes > m.kept.MaxBytes {
		drop()
	}
}

func (m *Model) read(t *rapid.T) {
	n := uint64(len(m.Events))
	from := rapid.Uint64Range(m.First-min(m.First, 2), n+2).Draw(t, "from")
	r := regions(t)
	dst := make([]core.Envelope, rapid.SampledFrom([]int{0, 1, 3, 50, 2000}).Draw(t, "room"))
	got, next, err := m.Log.Read(context.Background(), r, from, dst)
	var refused error
	switch {
	case m.Closed:
		refused = cursor.ErrClosed
	case from < m.First:
		refused = &cursor.CompactedError{From: from, First: m.First}
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
		if cursor.Selects(&r, &m.Events[i].Notification) {
			want = append(want, m.Events[i])
		}
	}
	if got != len(want) || got > 0 && !Alike(dst[:got], want) {
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

func (m *Model) compact(t *rapid.T) {
	n := uint64(len(m.Events))
	first := rapid.Uint64Range(0, n+1).Draw(t, "first")
	err := m.Log.Compact(context.Background(), first)
	switch {
	case m.Closed:
		if !errors.Is(err, cursor.ErrClosed) {
			t.Fatalf("Compact: %v, want ErrClosed", err)
		}
	case first > n:
		if !errors.Is(err, cursor.ErrBeyond) {
			t.Fatalf("Compact(%d) of %d: %v, want ErrBeyond", first, n, err)
		}
	case err != nil:
		t.Fatal(err)
	default:
		m.First = max(m.First, first)
	}
}

func (m *Model) close(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 {
		t.Skip("seldom")
	}
	m.Closed = true
	if err := m.Log.Close(); err != nil {
		t.Fatal(err)
	}
}

// Check compares what shows without a change, and returns whether the Log is open and how many bytes of payload it has.
func (m *Model) Check(t *rapid.T) (open bool, kept uint64) {
	b, err := m.Log.Bounds(context.Background())
	if m.Closed {
		if !errors.Is(err, cursor.ErrClosed) {
			t.Fatalf("Bounds: %v, want ErrClosed", err)
		}
		return false, 0
	}
	if want := (cursor.Bounds{First: m.First, Next: uint64(len(m.Events))}); b != want || err != nil {
		t.Fatalf("Bounds: %+v, %v; want %+v", b, err, want)
	}
	for _, e := range m.Events[m.First:] {
		kept += uint64(len(e.Payload))
	}
	var last region.Position
	for i, e := range m.Events {
		p := e.Position
		if i > 0 && (p.WallMS < last.WallMS || p.WallMS == last.WallMS && p.Counter <= last.Counter) {
			t.Fatalf("event %d at %s, after %s", i, p, last)
		}
		last = p
	}
	return true, kept
}
