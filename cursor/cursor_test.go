package cursor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestMixed: Next, NextBatch, Poll and All take turns at one place, over reads of more than any of them wants.
func TestMixed(t *testing.T) {
	log := newLog(t, memlog.Options{})
	for range 300 {
		add(t, log, "alice", "bob")
	}
	c := open(t, log, region.Region{Entity: "bob"}, cursor.FromStart())
	ctx := context.Background()
	dst := make([]core.Envelope, 7)
	want := uint64(1)
	expect := func(es ...core.Envelope) {
		t.Helper()
		for _, e := range es {
			if e.Sequence != want || e.Coordinate.Entity() != "bob" {
				t.Fatalf("got %d of %s, want %d of bob", e.Sequence, e.Coordinate, want)
			}
			want += 2
			if place := c.Place(); len(es) == 1 && (place <= e.Sequence || place > want) {
				t.Fatalf("Place() = %d after %d", place, e.Sequence)
			}
		}
	}
	for want < 600 {
		for range 3 {
			e, err := c.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			expect(e)
		}
		n, err := c.NextBatch(ctx, dst)
		if err != nil || n == 0 {
			t.Fatalf("NextBatch: %d, %v", n, err)
		}
		expect(dst[:n]...)
		if n, err = c.Poll(ctx, dst[:2]); err != nil {
			t.Fatal(err)
		}
		expect(dst[:n]...)
		for e, err := range c.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			expect(e)
			break
		}
		if want > 560 {
			break // room for all of the above
		}
	}
	for want < 600 {
		n, err := c.Poll(ctx, dst)
		if err != nil || n == 0 {
			t.Fatalf("Poll: %d, %v, with %d to come", n, err, want)
		}
		expect(dst[:n]...)
	}
	if n, err := c.Poll(ctx, dst); n != 0 || err != nil {
		t.Errorf("Poll at the end: %d, %v; want none", n, err)
	}
	if n, err := c.NextBatch(ctx, nil); n != 0 || err != nil {
		t.Errorf("NextBatch without room: %d, %v; want none, at once", n, err)
	}
	if lag, err := c.Lag(ctx); lag != 0 || err != nil || c.Place() != 600 {
		t.Errorf("at the end: Lag() = %d, %v, Place() = %d; want 0, 600", lag, err, c.Place())
	}
}

// TestResume: wherever a reader stops, whoever goes on from its Place gets the rest, and nothing twice.
func TestResume(t *testing.T) {
	log := newLog(t, memlog.Options{})
	for range 40 {
		add(t, log, "alice", "bob", "carol")
	}
	r := region.Region{Entity: "bob"}
	for stop := range 41 {
		c := open(t, log, r, cursor.FromStart())
		var got []uint64
		for range stop {
			e, err := c.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Sequence)
		}
		lag, err := c.Lag(context.Background())
		if place := c.Place(); err != nil || lag != 120-place {
			t.Errorf("Lag() = %d, %v at %d of 120", lag, err, place)
		}
		dst := make([]core.Envelope, 64)
		n, err := open(t, log, r, cursor.From(c.Place())).Poll(context.Background(), dst)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range dst[:n] {
			got = append(got, e.Sequence)
		}
		for i, seq := range got {
			if seq != uint64(3*i+1) {
				t.Fatalf("stopped after %d: %v", stop, got)
			}
		}
		if len(got) != 40 {
			t.Errorf("stopped after %d: %d events, want 40", stop, len(got))
		}
	}
}

// TestH104CompactedIsSaid: what was read ahead is handed out; then it is ErrCompacted with the first that is left, as often
// as asked, and never another event.
func TestH104CompactedIsSaid(t *testing.T) {
	log := newLog(t, memlog.Options{})
	for range 40 {
		add(t, log, "a")
	}
	c := open(t, log, region.Region{}, cursor.From(0))
	ctx := context.Background()
	if e, err := c.Next(ctx); err != nil || e.Sequence != 0 {
		t.Fatalf("Next() = %d, %v", e.Sequence, err)
	}
	if err := log.Compact(ctx, 30); err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	var err error
	for e, failed := range c.All(ctx) {
		if err = failed; err != nil {
			break
		}
		if e.Sequence != next {
			t.Fatalf("got %d, want %d", e.Sequence, next)
		}
		next++
	}
	for range 3 {
		if compacted, ok := errors.AsType[*cursor.CompactedError](err); !ok || *compacted != (cursor.CompactedError{From: next, First: 30}) {
			t.Fatalf("after %d events: %v, want a CompactedError of %d, 30", next, err, next)
		}
		_, err = c.Next(ctx)
	}
	if got := poll(t, open(t, log, region.Region{}, cursor.From(30))); got != "[30 31 32 33 34 35 36 37 38 39]" {
		t.Errorf("from the first that is left: %s", got)
	}
}

// TestH105CompactionBetweenOpenAndRead: the error, or all events, never all but some. Who asked for the oldest there is gets
// that, however often retention is quicker.
func TestH105CompactionBetweenOpenAndRead(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c", "d", "e", "f")
	ctx := context.Background()
	at, oldest := open(t, log, region.Region{}, cursor.From(0)), open(t, log, region.Region{}, cursor.FromStart())
	if err := log.Compact(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := at.Poll(ctx, make([]core.Envelope, 9)); !errors.Is(err, cursor.ErrCompacted) {
		t.Errorf("From(0), compacted to 1: %v, want ErrCompacted", err)
	}
	if got := poll(t, oldest); got != "[1 2 3 4 5]" {
		t.Errorf("FromStart, compacted to 1: %s, want the rest", got)
	}

	first := uint64(1)
	overtaken := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
		if first < 4 {
			first++
			if err := log.Compact(ctx, first); err != nil {
				t.Error(err)
			}
		}
		return log.Read(ctx, r, from, dst)
	}}
	again := open(t, overtaken, region.Region{}, cursor.FromStart())
	if got := poll(t, again); got != "[4 5]" {
		t.Errorf("FromStart, overtaken three times: %s, want the rest", got)
	}
	add(t, log, "g")
	if err := log.Compact(ctx, 7); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Poll(ctx, make([]core.Envelope, 9)); !errors.Is(err, cursor.ErrCompacted) {
		t.Errorf("FromStart, overtaken once it has read: %v, want ErrCompacted", err)
	}
}

// TestH106QuietRegionMovesOn: a reader that finds nothing of its Region has a place that retention doesn't pass.
func TestH106QuietRegionMovesOn(t *testing.T) {
	log := newLog(t, memlog.Options{MaxEvents: 100})
	c := open(t, log, region.Region{Entity: "quiet"}, cursor.FromStart())
	for range 50 {
		for range 90 {
			add(t, log, "loud")
		}
		if got := poll(t, c); got != "[]" {
			t.Fatalf("read %s", got)
		}
		b, err := log.Bounds(context.Background())
		if err != nil || c.Place() != b.Next {
			t.Fatalf("Place() = %d, %v; want the end, %d", c.Place(), err, b.Next)
		}
	}
	add(t, log, "quiet")
	if got := poll(t, c); got != "[4500]" {
		t.Errorf("read %s, want [4500]", got)
	}
}

// TestH124SleepsAtTheEnd: a cursor at the end costs nothing, and is woken by an append, a context's end, and Close.
func TestH124SleepsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := memlog.New(memlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reads := 0
		counting := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			reads++
			return log.Read(ctx, r, from, dst)
		}}
		c := open(t, counting, region.Region{Entity: "a"}, cursor.FromEnd())
		ctx, leave := context.WithCancelCause(t.Context())
		var got []uint64
		var failed error
		read := func() {
			for e, err := range c.All(ctx) {
				if failed = err; err == nil {
					got = append(got, e.Sequence)
				}
			}
		}
		go read()
		synctest.Wait()
		time.Sleep(time.Hour) // in the bubble: nothing polls, or reads would grow
		if reads != 1 {
			t.Errorf("%d reads in an hour at the end, want 1", reads)
		}
		add(t, log, "a")
		synctest.Wait()
		add(t, log, "b")
		synctest.Wait()
		if !slices.Equal(got, []uint64{0}) || reads > 5 || c.Place() != 2 {
			t.Errorf("got %v by %d reads, place %d; want [0], a few, 2", got, reads, c.Place())
		}
		leave(errLeft)
		synctest.Wait()
		if failed != errLeft {
			t.Errorf("the context ended: %v, want its cause", failed)
		}

		ctx = t.Context()
		failed = nil
		go read()
		synctest.Wait()
		add(t, log, "a")
		synctest.Wait()
		if !slices.Equal(got, []uint64{0, 2}) {
			t.Errorf("got %v, want [0 2]", got)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if failed != cursor.ErrClosed {
			t.Errorf("the log was closed: %v, want ErrClosed", failed)
		}
	})
}

// TestH124AppendBeforeTheWait: what is appended after the read that found nothing, and before the wait, is seen.
func TestH124AppendBeforeTheWait(t *testing.T) {
	log := newLog(t, memlog.Options{})
	late := wrapped{Log: log, wait: func(ctx context.Context, next uint64) error {
		add(t, log, "a")
		return log.Wait(ctx, next)
	}}
	c := open(t, late, region.Region{}, cursor.FromStart())
	for i := range uint64(3) {
		if e, err := c.Next(context.Background()); err != nil || e.Sequence != i {
			t.Fatalf("Next() = %d, %v; want %d", e.Sequence, err, i)
		}
	}
}

// TestErrorMovesNothing: after an error that passes, the cursor goes on where it was.
func TestErrorMovesNothing(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c")
	broken := errors.New("the network is down")
	fails := false
	flaky := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
		if fails = !fails; fails {
			return 0, from, broken
		}
		return log.Read(ctx, r, from, dst[:1])
	}}
	c := open(t, flaky, region.Region{}, cursor.FromStart())
	for i := range uint64(3) {
		if _, err := c.Next(context.Background()); err != broken {
			t.Fatalf("Next() = %v, want the log's error", err)
		}
		if e, err := c.Next(context.Background()); err != nil || e.Sequence != i {
			t.Fatalf("Next() = %d, %v; want %d", e.Sequence, err, i)
		}
	}
}

// TestHandsOver: a cursor keeps nothing of what it has handed out.
func TestHandsOver(t *testing.T) {
	log := newLog(t, memlog.Options{})
	payload := make([]byte, 100)
	kept := weak.Make(&payload[0])
	if _, err := log.Append(context.Background(), []cursor.Draft{{Coordinate: coordinate(t, "a"), Payload: payload}}); err != nil {
		t.Fatal(err)
	}
	payload = nil
	add(t, log, "b", "c")
	c := open(t, log, region.Region{}, cursor.FromStart())
	if _, err := c.Next(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := log.Compact(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	if kept.Value() != nil {
		t.Error("the payload of an event that was handed out and compacted is still there")
	}
	runtime.KeepAlive(c)
}

// TestPollAllocatesNothing: reading in batches costs copies alone.
func TestPollAllocatesNothing(t *testing.T) {
	log := newLog(t, memlog.Options{})
	for range 100 {
		add(t, log, "a", "b")
	}
	c := open(t, log, region.Region{Entity: "b"}, cursor.FromStart())
	dst := make([]core.Envelope, 1)
	if allocs := testing.AllocsPerRun(90, func() {
		if n, err := c.Poll(context.Background(), dst); n != 1 || err != nil {
			t.Fatalf("Poll: %d, %v", n, err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations a Poll, want none", allocs)
	}
}
