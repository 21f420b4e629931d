package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestFollowAgainstSlice: a log, a writer whose broadcasts come when they like, and Followers of all feeds, with hardly any room.
// Whatever comes between, each hands out exactly the events of its Region, from where it began, in order; its marks
// are in their places and take turns; and what it doesn't hand out it says that it lost.
func TestFollowAgainstSlice(t *testing.T) {
	var sum cursor.FollowStats
	var marks [4]int
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			m := newMachine(t)
			defer m.close()
			t.Repeat(map[string]func(*rapid.T){
				"append":        m.append,
				"append+":       m.append,
				"broadcast":     m.broadcast,
				"broadcast+":    m.broadcast,
				"push":          m.push,
				"push+":         m.push,
				"read":          m.read,
				"read+":         m.read,
				"while":         m.while,
				"begin":         m.begin,
				"fault":         m.fault,
				"compact":       m.compact,
				"close fan-out": m.closeFanout,
			})
			m.finish(t)
			for _, f := range m.all {
				s := f.Stats()
				sum.Live, sum.Pulled, sum.Parked, sum.Resumed = sum.Live+s.Live, sum.Pulled+s.Pulled, sum.Parked+s.Parked, sum.Resumed+s.Resumed
				for k, n := range f.marks {
					marks[k] += n
				}
			}
		})
	})
	t.Logf("%+v, marks %v", sum, marks)
	for name, n := range map[string]uint64{
		"live": sum.Live, "pulled": sum.Pulled, "parked": sum.Parked, "resumed": sum.Resumed,
		"caught up": uint64(marks[cursor.CaughtUp]), "fell behind": uint64(marks[cursor.FellBehind]), "progress": uint64(marks[cursor.Progress]),
	} {
		if n == 0 && !t.Failed() {
			t.Errorf("%s: never", name)
		}
	}
}

const awhile = time.Second

type machine struct {
	log    *memlog.Log
	faulty *faulty
	fanout *fanout
	shared *multicast.Ring[core.Envelope]
	all    []*modelled // that ever were
	live   []*modelled // that have not ended
	want   []core.Envelope
	sent   int // of want, to the fan-out
	first  uint64
	closed bool
	reads  *cursor.ReadLimit
}

// A modelled is a Follower and what it did.
type modelled struct {
	*cursor.Follower
	name   string
	region region.Region
	from   uint64
	got    int // events
	last   cursor.MarkKind
	marks  [4]int
}

func newMachine(t *rapid.T) *machine {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		log: log, faulty: &faulty{Log: log}, reads: cursor.NewReadLimit(1),
		fanout: core.New(core.Config[core.Envelope]{Name: "test", Locate: core.Envelope.Point}),
	}
	if m.shared, err = multicast.Open(context.Background(), m.fanout, region.Region{}, 4); err != nil {
		t.Fatal(err)
	}
	m.append(t)
	m.begin(t)
	return m
}

func (m *machine) close() {
	for _, f := range m.live {
		f.Cancel()
	}
	_ = m.fanout.Close()
	_ = m.fanout.Wait(context.Background())
	_ = m.log.Close()
}

var names = []string{"a", "b", "c"}

func (m *machine) append(t *rapid.T) { m.add(t, 6) }

// add appends so many events at most.
func (m *machine) add(t *rapid.T, most int) {
	ds := make([]cursor.Draft, rapid.IntRange(1, most).Draw(t, "events"))
	for i := range ds {
		c, err := region.NewCoordinate(rapid.SampledFrom(names).Draw(t, "entity"), "shop")
		if err != nil {
			t.Fatal(err)
		}
		ds[i] = cursor.Draft{Coordinate: c, Kind: kind}
	}
	made, err := m.log.Append(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	m.want = append(m.want, made...)
}

// broadcast sends some of what was appended.
func (m *machine) broadcast(t *rapid.T) {
	n := rapid.IntRange(0, min(8, len(m.want)-m.sent)).Draw(t, "broadcasts")
	for range n {
		m.fanout.Broadcast(m.want[m.sent])
		m.sent++
	}
}

// push appends and broadcasts all there is.
func (m *machine) push(t *rapid.T) {
	m.add(t, 2)
	for ; m.sent < len(m.want); m.sent++ {
		m.fanout.Broadcast(m.want[m.sent])
	}
}

// begin begins a Follower, in place of one that there is, or for good.
func (m *machine) begin(t *rapid.T) {
	f := &modelled{}
	f.region.Entity = rapid.SampledFrom([]string{"", "a", "b", "z"}).Draw(t, "region")
	o := cursor.FollowOptions{ProgressEvery: awhile, Reads: m.reads}
	feed := rapid.IntRange(0, len(feeds)).Draw(t, "feed")
	if feed < len(feeds) {
		capacity := rapid.SampledFrom([]int{1, 2, 3, 8}).Draw(t, "capacity")
		f.name = fmt.Sprintf("%s of %d", feeds[feed].name, capacity)
		o.Feed = feeds[feed].of(capacity)
	} else {
		f.name = "shared"
		o.Feed = byShared(m.shared)
	}
	switch rapid.IntRange(0, 3).Draw(t, "start") {
	case 0:
		f.from, o.From = m.first, cursor.From(m.first)
	case 1:
		f.from = uint64(len(m.want))
		o.From = cursor.From(f.from)
	case 2:
		f.from = uint64(len(m.want))
		o.From = cursor.After(f.from - 1)
	case 3:
		if len(m.live) > 0 {
			old := rapid.SampledFrom(m.live).Draw(t, "old")
			f.region = old.region
			f.from = max(old.Place(), m.first)
		}
		o.From = cursor.From(max(f.from, m.first))
		f.from = max(f.from, m.first)
	}
	f.Follower = cursor.Follow(context.Background(), m.faulty, m.fanout, f.region, o)
	m.all = append(m.all, f)
	if len(m.live) == 4 {
		i := rapid.IntRange(0, 3).Draw(t, "whom")
		m.live[i].Cancel()
		m.live[i] = f
		return
	}
	m.live = append(m.live, f)
}

// read has a Follower go for some items.
func (m *machine) read(t *rapid.T) {
	if len(m.live) == 0 {
		return
	}
	f := rapid.SampledFrom(m.live).Draw(t, "follower")
	for range rapid.IntRange(1, 12).Draw(t, "items") {
		if !m.next(t, f) {
			return
		}
	}
}

var errImpatient = errors.New("impatient")

// next takes one Item, and compares; false where there is none now.
func (m *machine) next(t *rapid.T, f *modelled) bool {
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Microsecond, errImpatient)
	defer cancel()
	i, err := f.Next(ctx)
	switch {
	case errors.Is(err, errImpatient):
		return false
	case errors.Is(err, errFault):
		return true
	case errors.Is(err, cursor.ErrCompacted):
		compacted, ok := errors.AsType[*cursor.CompactedError](err)
		if place := f.Place(); !ok || place >= m.first || compacted.First > m.first || compacted.First <= place {
			t.Fatalf("%s at %d: %v; the first is %d", f.name, place, err, m.first)
		}
		m.drop(f)
		return false
	case err != nil:
		t.Fatalf("%s: %v", f.name, err)
	case i.IsMark():
		m.mark(t, f, i.Mark)
		return true
	}
	e := m.of(f, f.got)
	if e == nil || e.Sequence != i.Sequence || e.EventID != i.EventID {
		t.Fatalf("%s: event %d is %d, want %+v", f.name, f.got, i.Sequence, e)
	}
	f.got++
	return true
}

func (m *machine) mark(t *rapid.T, f *modelled, mark cursor.Mark) {
	f.marks[mark.Kind]++
	place := f.Place()
	below := 0
	for e := m.of(f, below); e != nil && e.Sequence < place; e = m.of(f, below) {
		below++
	}
	if mark.Place != place || below != f.got {
		t.Fatalf("%s: %s; its place is %d, and it has handed out %d of %d below", f.name, mark, place, f.got, below)
	}
	if mark.Kind == cursor.FellBehind && mark.Behind != uint64(len(m.want))-place {
		t.Fatalf("%s: %s; the end is %d", f.name, mark, len(m.want))
	}
	if mark.Kind == cursor.Progress {
		return
	}
	if first := f.last == cursor.NoMark && mark.Kind != cursor.CaughtUp; first || mark.Kind == f.last {
		t.Fatalf("%s: %s after %s", f.name, mark, f.last)
	}
	f.last = mark.Kind
}

// of returns the nth event that a Follower has to hand out; nil where it isn't there yet.
func (m *machine) of(f *modelled, n int) *core.Envelope {
	for i := range m.want[min(f.from, uint64(len(m.want))):] {
		if e := &m.want[f.from+uint64(i)]; f.region.Match(e.Point()) {
			if n == 0 {
				return e
			}
			n--
		}
	}
	return nil
}

func (m *machine) drop(f *modelled) {
	for i := range m.live {
		if m.live[i] == f {
			m.live = append(m.live[:i], m.live[i+1:]...)
			return
		}
	}
}

// while lets so much time go by that Followers look into the log.
func (m *machine) while(*rapid.T) { time.Sleep(awhile) }

// fault has some calls of the log fail, be slow, or say little.
func (m *machine) fault(t *rapid.T) {
	m.faulty.fail = rapid.IntRange(0, 2).Draw(t, "failures")
	m.faulty.short = rapid.IntRange(0, 2).Draw(t, "short")
}

func (m *machine) compact(t *rapid.T) {
	if !rapid.SampledFrom([]bool{true, false, false}).Draw(t, "really") {
		return
	}
	m.first = rapid.Uint64Range(m.first, uint64(len(m.want))).Draw(t, "first")
	if err := m.log.Compact(context.Background(), m.first); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) closeFanout(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
		m.closed = true
		_ = m.fanout.Close()
	}
}

// finish has everything broadcast, and everybody read to the end.
func (m *machine) finish(t *rapid.T) {
	m.faulty.fail, m.faulty.short = 0, 0
	m.push(t)
	for range 2 { // the second time for what a while brings
		for _, f := range append([]*modelled(nil), m.live...) {
			for m.next(t, f) {
			}
		}
		time.Sleep(awhile)
	}
	for _, f := range m.live {
		if e := m.of(f, f.got); e != nil {
			t.Fatalf("%s stopped before %d: %+v", f.name, e.Sequence, f.Stats())
		}
	}
}

var errFault = errors.New("fault")

// A faulty is a Log some of whose calls fail, or say less than they might.
type faulty struct {
	cursor.Log
	fail  int // calls, from the next on
	every int // of so many calls one
	short int // 1: one event at a time; 2: every second Read finds nothing and moves on by one
	calls int
}

func (l *faulty) fault() error {
	l.calls++
	if l.every > 0 && l.calls%l.every == 0 {
		return errFault
	}
	if l.fail > 0 {
		l.fail--
		return errFault
	}
	return nil
}

func (l *faulty) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if err := l.fault(); err != nil {
		return 0, from, err
	}
	switch {
	case l.short == 1:
		dst = dst[:min(1, len(dst))]
	case l.short == 2 && l.calls%2 == 0 && r != (region.Region{}):
		var one [1]core.Envelope
		n, next, err := l.Log.Read(ctx, r, from, one[:])
		if err == nil && (n == 0 || one[0].Sequence > from) {
			return 0, min(from+1, next), nil
		}
	}
	return l.Log.Read(ctx, r, from, dst)
}

func (l *faulty) Bounds(ctx context.Context) (cursor.Bounds, error) {
	if err := l.fault(); err != nil {
		return cursor.Bounds{}, err
	}
	return l.Log.Bounds(ctx)
}

func (l *faulty) Wait(ctx context.Context, next uint64) error {
	if err := l.fault(); err != nil {
		return err
	}
	return l.Log.Wait(ctx, next)
}
