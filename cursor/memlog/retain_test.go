package memlog_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestOptions: what makes no sense is refused, by name; the zero Options have bounds.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    memlog.Options
		want string
	}{
		{memlog.Options{MaxEvents: -1}, "spillway/memlog: Options.MaxEvents is -1; want 0 for the default, or more"},
		{memlog.Options{MaxBytes: -2}, "spillway/memlog: Options.MaxBytes is -2; want 0 for the default, or more"},
		{memlog.Options{MaxEntities: -3}, "spillway/memlog: Options.MaxEntities is -3; want 0 for the default, or more"},
		{memlog.Options{MaxAge: -time.Second}, "spillway/memlog: Options.MaxAge is -1s; want 0 for ever, or more"},
	} {
		if _, err := memlog.New(c.o); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
	}
	for _, c := range []struct {
		o    memlog.Options
		want cursor.Limits
	}{
		{memlog.Options{}, cursor.Limits{Batch: 16_384, Entities: 1_048_576}},
		{
			memlog.Options{MaxEvents: 10, MaxBytes: 20, MaxEntities: 30},
			cursor.Limits{Batch: 10, BatchBytes: 20, Payload: 20, Entities: 30},
		},
	} {
		log := newLog(t, c.o)
		if got := log.Limits(); got != c.want {
			t.Errorf("Limits() of %+v are %+v, want %+v", c.o, got, c.want)
		}
		_ = log.Close()
	}
}

// TestCapacityIsExact: the log is filled to its last event and byte, and never holds one more.
func TestCapacityIsExact(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     memlog.Options
		batch int
		kept  uint64
	}{
		{"one event", memlog.Options{MaxEvents: 1}, 1, 1},
		{"events", memlog.Options{MaxEvents: 1000}, 7, 1000},
		{"as many as a batch", memlog.Options{MaxEvents: 300}, 300, 300},
		{"bytes", memlog.Options{MaxBytes: 105}, 1, 10}, // of 10 each
		{"both", memlog.Options{MaxEvents: 9, MaxBytes: 105}, 2, 9},
	} {
		log := newLog(t, c.o)
		for next := uint64(0); next < 3000; {
			var ds []cursor.Draft
			for range c.batch {
				ds = append(ds, about(t, "a", 10))
			}
			add(t, log, ds...)
			next += uint64(c.batch)
			want := cursor.Bounds{First: next - min(next, c.kept), Next: next}
			if got := bounds(t, log); got != want {
				t.Fatalf("%s: %+v, want %+v", c.name, got, want)
			}
		}
		if es := all(t, log, region.Region{}, bounds(t, log).First, 100); uint64(len(es)) != c.kept {
			t.Errorf("%s: %d events are read, want %d", c.name, len(es), c.kept)
		}
		_ = log.Close()
	}
}

// TestMaxAge: an event is there until it comes of age, and gone then, though nobody asks for anything.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{MaxAge: time.Minute})
		for i := range 3 {
			add(t, log, about(t, fmt.Sprint(i), 0))
			time.Sleep(20 * time.Second)
		}
		for i, want := range []cursor.Bounds{{First: 1, Next: 3}, {First: 2, Next: 3}, {First: 3, Next: 3}} {
			synctest.Wait() // the timer's goroutine
			if got := log.Remembered(); got != int(want.Next-want.First) {
				t.Errorf("after %v: %d events are there, want %d", time.Duration(i+3)*20*time.Second, got, want.Next-want.First)
			}
			if got := bounds(t, log); got != want {
				t.Errorf("after %v: %+v, want %+v", time.Duration(i+3)*20*time.Second, got, want)
			}
			time.Sleep(20 * time.Second)
		}
		add(t, log, about(t, "late", 0)) // the timer is set again
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if got, want := bounds(t, log), (cursor.Bounds{First: 3, Next: 4}); got != want {
			t.Errorf("a second before its time: %+v, want %+v", got, want)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := bounds(t, log), (cursor.Bounds{First: 4, Next: 4}); got != want {
			t.Errorf("at its time: %+v, want %+v", got, want)
		}
		add(t, log, about(t, "last", 0))
		_ = log.Close()
		time.Sleep(time.Hour) // the timer was stopped, or finds nothing to do
	})
}

// TestRetentionTakesTurns: where many come of age at once, others wait for a few thousand of them, not for all.
func TestRetentionTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{MaxAge: time.Minute})
		defer func() { _ = log.Close() }()
		d := about(t, "a", 0)
		d.EventID = core.ID{}
		for range 10 {
			add(t, log, slices.Repeat([]cursor.Draft{d}, 1000)...)
		}
		time.Sleep(time.Minute)
		for _, first := range []uint64{4096, 8192, 10_000} {
			synctest.Wait()
			if got := bounds(t, log); got.First != first {
				t.Errorf("%+v, want the first %d dropped", got, first)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// TestH156WallClockGoesBack: stamps don't, and an event whose age is below 0, by however much, is kept, and not looked
// at again and again.
func TestH156WallClockGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var looks, ahead atomic.Int64
		set := func(d time.Duration) { ahead.Store(int64(d)) }
		now := func() time.Time { looks.Add(1); return time.Now().Add(time.Duration(ahead.Load())) }
		set(5000 * time.Hour)
		log, err := memlog.OpenAt(memlog.Options{MaxAge: time.Minute}, now)
		if err != nil {
			t.Fatal(err)
		}
		last := add(t, log, about(t, "a", 0))[0].Position
		for _, d := range []time.Duration{-5000 * time.Hour, 0, math.MinInt64} {
			set(d)
			e := add(t, log, about(t, "a", 0))[0]
			if p := e.Position; p.WallMS != last.WallMS || p.Counter != last.Counter+1 {
				t.Errorf("the wall clock at %v: stamped %s after %s, want the same millisecond and the next counter", d, p, last)
			}
			last = e.Position
			time.Sleep(30 * time.Minute)
			synctest.Wait()
			if got := bounds(t, log); got.First != 0 {
				t.Errorf("the wall clock at %v: %+v, want nothing dropped", d, got)
			}
		}
		if n := looks.Load(); n > 4*40 {
			t.Errorf("%d looks at the clock in 90 minutes, want about one a minute", n)
		}
		set(5000*time.Hour + time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := bounds(t, log); got.First != got.Next {
			t.Errorf("%v later: %+v, want all dropped", time.Since(start), got)
		}
		_ = log.Close()
	})
}

// TestMemoryFollowsRetention: postings are no larger than what is kept asks for, and those of kinds, lanes and
// payloads go with their events.
func TestMemoryFollowsRetention(t *testing.T) {
	log := newLog(t, memlog.Options{MaxEntities: 40})
	defer func() { _ = log.Close() }()
	var gone weak.Pointer[byte]
	for i := range 20_000 {
		d := about(t, fmt.Sprintf("a:b%d", i%20), 100)
		d.Kind, d.Lane = region.Kind(0x1000+i%300), uint32(i)
		add(t, log, d)
		if i == 10_000 {
			gone = weak.Make(&d.Payload[0])
		}
	}
	events, sequences := log.Room()
	if sequences < 20_000*6 || events < 20_000 {
		t.Fatalf("room for %d events and %d sequences cannot be right", events, sequences)
	}
	for _, c := range []struct {
		first                    uint64
		events, sequences, lists int
	}{
		{19_000, 1000 + 2*256, 4*(1000*6) + 1000 + 8*300, 1000},
		{20_000, 256, 8 * (300 + 2*20 + 20), 0},
	} {
		if err := log.Compact(context.Background(), c.first); err != nil {
			t.Fatal(err)
		}
		if events, sequences = log.Room(); events > c.events || sequences > c.sequences {
			t.Errorf("from %d on: room for %d events and %d sequences, want at most %d and %d", c.first, events, sequences, c.events, c.sequences)
		}
		if ids, lanes := log.Rows(); ids > 4096 || lanes > 4096 {
			t.Errorf("from %d on: room for %d event ids and %d lanes, want at most 4,096", c.first, ids, lanes)
		}
		if kinds, lanes := log.Lists(); kinds > 300 || lanes != c.lists || c.lists == 0 && kinds != 0 {
			t.Errorf("from %d on: %d kinds and %d lanes have lists, want %d lanes", c.first, kinds, lanes, c.lists)
		}
	}
	runtime.GC()
	runtime.GC()
	if gone.Value() != nil {
		t.Error("a payload that was dropped is still there")
	}
	if e := add(t, log, about(t, "a:b0", 0))[0]; e.Position.Sequence != 1001 {
		t.Errorf("the clock of an entity without events goes on at %d, want 1001", e.Position.Sequence)
	}
}

// TestRoomStaysBounded: at its capacity, a log's memory does not grow, however long it goes on.
func TestRoomStaysBounded(t *testing.T) {
	log := newLog(t, memlog.Options{MaxEvents: 1000})
	defer func() { _ = log.Close() }()
	for i := range 30_000 {
		add(t, log, about(t, fmt.Sprintf("a:b%d", i%7), 0))
		if events, sequences := log.Room(); events > 1000+2*256 || sequences > 6*4*1000 {
			t.Fatalf("after %d events: room for %d and %d sequences", i, events, sequences)
		}
	}
}

// TestEntitiesAreBounded: one more is refused, whatever became of the others' events; nothing of a refused batch is kept.
func TestEntitiesAreBounded(t *testing.T) {
	log := newLog(t, memlog.Options{MaxEntities: 2})
	defer func() { _ = log.Close() }()
	a, b, c := about(t, "a", 0), about(t, "b", 0), about(t, "c", 0)
	add(t, log, a)
	_, err := log.Append(context.Background(), []cursor.Draft{b, c})
	if draft, ok := errors.AsType[*cursor.DraftError](err); !ok || draft.Index != 1 || !errors.Is(err, cursor.ErrLimit) {
		t.Fatalf("a third entity: %v, want ErrLimit of draft 1", err)
	}
	add(t, log, c) // b is not known
	if err := log.Compact(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(context.Background(), []cursor.Draft{b}); !errors.Is(err, cursor.ErrLimit) {
		t.Errorf("a third entity, the others' events dropped: %v, want ErrLimit", err)
	}
	log.SetClock(a.Coordinate, 1<<32-2)
	if e := add(t, log, about(t, "a", 0))[0]; e.Position.Sequence != 1<<32-1 {
		t.Errorf("the last clock is %d", e.Position.Sequence)
	}
	if _, err := log.Append(context.Background(), []cursor.Draft{about(t, "a", 0)}); !errors.Is(err, cursor.ErrLimit) {
		t.Errorf("beyond the last clock: %v, want ErrLimit", err)
	}
}

// TestReadIsBounded: one call copies no more than 1,024 events, and looks at no more than 4,096, so that nobody waits long for the mutex.
func TestReadIsBounded(t *testing.T) {
	log := newLog(t, memlog.Options{})
	defer func() { _ = log.Close() }()
	for range 10 {
		var ds []cursor.Draft
		for i := range 1000 {
			d := about(t, "a", 0)
			d.Lane = uint32(i % 2)
			ds = append(ds, d)
		}
		add(t, log, ds...)
	}
	dst := make([]core.Envelope, 5000)
	for _, c := range []struct {
		r    region.Region
		n    int
		next uint64
	}{
		{region.Region{}, 1024, 1024},
		{region.Region{Entity: "a"}, 1024, 1024},
		{region.Region{Entity: "a", Lane: region.OneLane(1), Clock: region.Clocks(9000, 9001)}, 0, 8193}, // looks at lane 1
		{region.Region{Clock: region.Clocks(9000, 9001)}, 0, 4096},
	} {
		n, next, err := log.Read(context.Background(), c.r, 0, dst)
		if n != c.n || next != c.next || err != nil {
			t.Errorf("Read %s: %d, %d, %v; want %d, %d", c.r, n, next, err, c.n, c.next)
		}
	}
}
