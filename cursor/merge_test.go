package cursor_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// Of the ints that are merged here, an even one is the event of half of it, and an odd one a mark after that event.
func place(v int) (sequence uint64, event bool) { return uint64(v+1) / 2, v%2 == 0 }

// TestMerge: whatever the sources are, it is their sorted union, marks in their places, and ends at the first error, after all
// that source had; however far it was read, all sources were ended.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sources []*source
		var streams []iter.Seq2[int, error]
		for range rapid.IntRange(0, 4).Draw(t, "sources") {
			s := drawSource(t)
			slices.Sort(s.values)
			s.values = slices.CompactFunc(s.values, func(a, b int) bool { return a == b && a%2 == 0 })
			sources, streams = append(sources, s), append(streams, s.all())
		}
		want, fails := union(sources)
		for most := range len(want) + 2 {
			if most == 0 {
				continue
			}
			for _, s := range sources {
				s.pulled, s.ended = 0, 0
			}
			got, err := collect(cursor.Merge(place, streams...), most)
			if part := want[:min(most, len(want))]; fmt.Sprint(got) != fmt.Sprint(part) {
				t.Fatalf("the first %d: %v, want %v", most, got, part)
			}
			if wantErr := fails && most > len(want); (err == errEnd) != wantErr || (err != nil) != wantErr {
				t.Fatalf("after %d: %v, want an error: %v", most, err, wantErr)
			}
			for i, s := range sources {
				if s.pulled > 0 && s.ended != 1 || s.pulled > most+1 {
					t.Fatalf("after %d, source %d: %d were pulled, and it was ended %d times", most, i, s.pulled, s.ended)
				}
			}
		}
	})
}

// union returns what a Merge gives: all up to the last that is known to have nothing missing before it.
func union(sources []*source) (want []int, fails bool) {
	for _, s := range sources {
		want = append(want, s.values...)
	}
	slices.SortFunc(want, func(a, b int) int { return cmp.Compare(a, b) })
	want = slices.CompactFunc(want, func(a, b int) bool { return a == b && a%2 == 0 })
	for _, s := range sources {
		if s.err == nil {
			continue
		}
		fails = true
		last := -1
		if n := len(s.values); n > 0 {
			last = s.values[n-1]
		}
		end, _ := slices.BinarySearch(want, last+1)
		want = want[:end]
	}
	return want, fails
}

// TestMergeRefusesDisorder: a source that goes back, or has an event twice, ends it, and its value is not handed out.
func TestMergeRefusesDisorder(t *testing.T) {
	for _, values := range [][]int{{2, 4, 0}, {2, 2}, {4, 3}, {5, 4}} {
		ok := &source{values: []int{0, 2, 4, 6, 8, 10}}
		bad := &source{values: values}
		got, err := collect(cursor.Merge(place, ok.all(), bad.all()), -1)
		if !errors.Is(err, cursor.ErrDisorder) || ok.ended != 1 || bad.ended != 1 || got[len(got)-1] > slices.Max(values) {
			t.Errorf("%v: %v, %v, ended %d and %d times; want ErrDisorder", values, got, err, ok.ended, bad.ended)
		}
	}
	if got, err := collect(cursor.Merge(place, (&source{values: []int{1, 1, 2, 3, 3}}).all()), -1); len(got) != 5 || err != nil {
		t.Errorf("marks at one place: %v, %v; want them all", got, err)
	}
}

// sequencesOf reads most events of a stream.
func sequencesOf(t testing.TB, s iter.Seq2[core.Envelope, error], most int) string {
	t.Helper()
	es, err := collect(s, most)
	if err != nil {
		t.Fatal(err)
	}
	return sequences(es)
}

// TestMergeOfCursors: two Regions that share events, each event once.
func TestMergeOfCursors(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "a:b", "c", "a:b", "d", "a")
	ctx := context.Background()
	a, b := open(t, log, region.Region{Entity: "a"}, cursor.FromStart()), open(t, log, region.Region{Scope: "shop"}, cursor.FromStart())
	if got := sequencesOf(t, cursor.Merge(cursor.EnvelopePlace, a.All(ctx), b.All(ctx)), 5); got != "[0 1 2 3 4]" {
		t.Errorf("%s, want each event once", got)
	}
}

// TestMergeOfFollowers: marks and events come in their places, and the Progress of a quiet one lets the others go on.
func TestMergeOfFollowers(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "a")
		o := cursor.FollowOptions{Feed: feed(4), ProgressEvery: time.Minute}
		loud, quiet := w.follow(t, region.Region{Entity: "a"}, o), w.follow(t, region.Region{Entity: "quiet"}, o)
		var said []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i, err := range cursor.Merge(cursor.ItemPlace, loud.All(), quiet.All()) {
				switch {
				case err != nil:
					said = append(said, err.Error())
				case i.IsMark():
					said = append(said, fmt.Sprintf("[%s]", i.Mark))
				default:
					said = append(said, fmt.Sprint(i.Sequence))
				}
			}
		}()
		synctest.Wait()
		w.add(t, "a", "b")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := strings.Join(said, " ")
		if want := "0 2 [caught up at 3] [caught up at 3] 3"; !strings.HasPrefix(got, want) {
			t.Errorf("got  %s\nwant %s ...", got, want)
		}
		loud.Cancel()
		quiet.Cancel()
		<-done
	})
}

// TestMergeCursors: whatever the Regions, the appends between and where it is broken off, the events of any of them come once
// and in order, and each Cursor's Place is exact.
func TestMergeCursors(t *testing.T) {
	regions := []region.Region{{}, {Entity: "a"}, {Entity: "a:b"}, {Entity: "b"}, {Entity: "nobody"}, {Scope: "shop", Entity: "b"}}
	rapid.Check(t, func(t *rapid.T) {
		log, err := memlog.New(memlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = log.Close() }()
		few := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			n, next, err := log.Read(ctx, r, from, dst[:min(3, len(dst))])
			if n == 0 && next > from+2 {
				next = from + 2 // it may stop wherever it likes
			}
			return n, next, err
		}}
		var cs []*cursor.Cursor
		asked := rapid.SliceOfN(rapid.SampledFrom(regions), 1, 4).Draw(t, "regions")
		ctx := context.Background()
		for _, r := range asked {
			c, err := cursor.Open(ctx, few, r, cursor.FromStart())
			if err != nil {
				t.Fatal(err)
			}
			cs = append(cs, c)
		}
		matches := func(e *core.Envelope) bool {
			return slices.ContainsFunc(asked, func(r region.Region) bool { return r.Match(e.Point()) })
		}
		var all []core.Envelope
		var want, got []uint64
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a:b", "b", "c"}), 0, 40).Draw(t, "appended") {
				c, _ := region.NewCoordinate(name, "shop")
				made, err := log.Append(ctx, []cursor.Draft{{Coordinate: c, Kind: kind}})
				if err != nil {
					t.Fatal(err)
				}
				if all = append(all, made...); matches(&made[0]) {
					want = append(want, made[0].Sequence)
				}
			}
			es, err := collect(cursor.MergeCursors(ctx, cs...), rapid.IntRange(0, len(want)-len(got)).Draw(t, "read"))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range es {
				got = append(got, e.Sequence)
			}
			if !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("regions %v: %v, want %v", asked, got, want)
			}
			for i, c := range cs {
				for _, e := range all[:c.Place()] {
					if asked[i].Match(e.Point()) && !slices.Contains(got, e.Sequence) {
						t.Fatalf("the Place of %s is %d, and %d was not handed out", asked[i], c.Place(), e.Sequence)
					}
				}
				if n := len(got); n > 0 && asked[i].Match(all[got[n-1]].Point()) && c.Place() <= got[n-1] {
					t.Fatalf("the Place of %s is %d, and %d was handed out", asked[i], c.Place(), got[n-1])
				}
			}
		}
	})
}

// TestMergeCursorsOverQuiet: a quiet Region holds nobody up, and moves on with the others; at the end all sleep.
func TestMergeCursorsOverQuiet(t *testing.T) {
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
		quiet, loud := open(t, counting, region.Region{Entity: "quiet"}, cursor.FromStart()), open(t, counting, region.Region{Entity: "loud"}, cursor.FromStart())
		ctx, leave := context.WithCancelCause(t.Context())
		var got []uint64
		var failed error
		done := make(chan struct{})
		go func() {
			defer close(done)
			for e, err := range cursor.MergeCursors(ctx, quiet, loud) {
				if failed = err; err == nil {
					got = append(got, e.Sequence)
				}
			}
		}()
		for i := range 100 {
			add(t, log, "loud", "other")
			synctest.Wait()
			if len(got) != i+1 {
				t.Fatalf("%d events are there, and %v were read", i+1, got)
			}
		}
		if quiet.Place() < 199 || reads > 1000 {
			t.Errorf("the quiet one is at %d of 200, after %d reads", quiet.Place(), reads)
		}
		leave(errLeft)
		<-done
		if failed != errLeft {
			t.Errorf("the context ended: %v, want its cause", failed)
		}
		_ = log.Close()
	})
}

// TestMergeCursorsEndsInPlace: the error of one comes after all that is before its place, and has moved nothing.
func TestMergeCursorsEndsInPlace(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "a", "b", "a", "b", "a", "b")
	ctx := context.Background()
	broken := errors.New("the network is down")
	fails := true
	flaky := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
		if fails && r.Entity == "b" && from >= 4 {
			return 0, from, broken
		}
		return log.Read(ctx, r, from, dst[:1])
	}}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		fails = true
		ab := []*cursor.Cursor{open(t, flaky, region.Region{Entity: "a"}, cursor.FromStart()), open(t, flaky, region.Region{Entity: "b"}, cursor.FromStart())}
		both := cursor.MergeCursors(ctx, ab[order[0]], ab[order[1]])
		es, err := collect(both, -1)
		if got := sequences(es); err != broken || got != "[0 1 2 3]" {
			t.Errorf("%s, %v; want [0 1 2 3], and the error", got, err)
		}
		fails = false
		if got := sequencesOf(t, both, 4); got != "[4 5 6 7]" {
			t.Errorf("tried again: %s, want the rest", got)
		}
		fails = true
		ab = []*cursor.Cursor{open(t, flaky, region.Region{Entity: "a"}, cursor.FromStart()), open(t, flaky, region.Region{Entity: "b"}, cursor.From(4))}
		es, err = collect(cursor.MergeCursors(ctx, ab[order[0]], ab[order[1]]), -1)
		if got := sequences(es); err != broken || got != "[0 2]" {
			t.Errorf("one that fails at once, at 4: %s, %v; want [0 2], and the error", got, err)
		}
	}
}

// TestMergeCursorsOfOneLog: sequences of two logs are not compared, and no cursor is none.
func TestMergeCursorsOfOneLog(t *testing.T) {
	a, b := open(t, newLog(t, memlog.Options{}), region.Region{}, cursor.FromStart()), open(t, newLog(t, memlog.Options{}), region.Region{}, cursor.FromStart())
	if es, err := collect(cursor.MergeCursors(context.Background(), a, b), -1); !errors.Is(err, cursor.ErrLogs) || len(es) != 0 {
		t.Errorf("%v, %v; want ErrLogs", es, err)
	}
	if es, err := collect(cursor.MergeCursors(context.Background()), -1); err != nil || len(es) != 0 {
		t.Errorf("of none: %v, %v", es, err)
	}
}
