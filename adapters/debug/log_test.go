package debug_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// book is a slog.Handler that keeps what is written, after calling before.
type book struct {
	level  slog.Level
	before func()

	mu    sync.Mutex
	lines []line
}

type line struct {
	slog.Record
	attrs map[string]string
}

func (b *book) Enabled(_ context.Context, l slog.Level) bool { return l >= b.level }
func (b *book) WithAttrs([]slog.Attr) slog.Handler           { return b }
func (b *book) WithGroup(string) slog.Handler                { return b }

func (b *book) Handle(_ context.Context, r slog.Record) error {
	if b.before != nil {
		b.before()
	}
	l := line{r, make(map[string]string)}
	r.Attrs(func(a slog.Attr) bool {
		l.attrs[a.Key] = a.Value.String()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
	return nil
}

// all returns the lines so far.
func (b *book) all() []line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines)
}

// counts returns how many lines and how many left out there are of each message.
func (b *book) counts() (lines, leftOut map[string]int) {
	lines, leftOut = make(map[string]int), make(map[string]int)
	for _, l := range b.all() {
		if message, isSummary := strings.CutSuffix(l.Message, ": lines left out"); isSummary {
			var n int
			_, _ = fmt.Sscan(l.attrs["count"], &n)
			leftOut[message] += n
		} else {
			lines[l.Message]++
		}
	}
	return lines, leftOut
}

func TestLogLines(t *testing.T) {
	mine := errors.New("mine")
	i := core.Info{
		ID: 7, Sink: "channel.sink", Region: region.Region{Entity: "e:1"}, Held: 3, Capacity: 4, Lost: 5,
		Since: noon, Site: "main.go:12",
	}
	prune := &core.PrunedError{Fanout: "orders", ID: 7, Verdict: core.Full, Missed: 99, HasMissed: true, Held: 4}
	for _, c := range []struct {
		name    string
		tell    func(core.LagObserver)
		level   slog.Level
		message string
		more    map[string]string // besides what i says
	}{
		{"lagging", func(o core.LagObserver) { o.Lagging(i) }, slog.LevelWarn, "subscription is lagging", nil},
		{
			"pruned", func(o core.LagObserver) { o.Ended(i, prune) }, slog.LevelWarn, "subscription pruned",
			map[string]string{"verdict": "full", "missed": "99", "err": prune.Error()},
		},
		{
			"pruned without a sequence", func(o core.LagObserver) { o.Ended(i, &core.PrunedError{Verdict: core.Closed}) },
			slog.LevelWarn, "subscription pruned",
			map[string]string{"verdict": "closed", "err": (&core.PrunedError{Verdict: core.Closed}).Error()},
		},
		{
			"pruned, wrapped", func(o core.LagObserver) { o.Ended(i, fmt.Errorf("mine: %w", prune)) }, slog.LevelWarn, "subscription pruned",
			map[string]string{"verdict": "full", "missed": "99", "err": "mine: " + prune.Error()},
		},
		{
			"panic", func(o core.LagObserver) { o.Ended(i, &core.PanicError{Value: mine}) }, slog.LevelWarn, "subscription ended by a panic",
			map[string]string{"err": "spillway/core: user code panicked: mine"},
		},
		{
			"cancelled", func(o core.LagObserver) { o.Ended(i, core.ErrCancelled) }, slog.LevelDebug, "subscription ended",
			map[string]string{"err": "spillway/core: cancelled"},
		},
		{
			"another cause", func(o core.LagObserver) { o.Ended(i, mine) }, slog.LevelDebug, "subscription ended",
			map[string]string{"err": "mine"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{level: slog.LevelDebug}
			o := debug.Log(slog.New(b))
			o.Subscribed(i)
			c.tell(o)
			if len(b.all()) != 1 || b.all()[0].Level != c.level || b.all()[0].Message != c.message {
				t.Fatalf("got %v, want one line, %v: %s", b.all(), c.level, c.message)
			}
			want := map[string]string{
				"id": "7", "region": "entity=e:1", "sink": "channel.sink", "held": "3", "capacity": "4", "lost": "5",
				"since": slog.TimeValue(noon).String(), "site": "main.go:12",
			}
			maps.Copy(want, c.more)
			for key, value := range want {
				if got := b.all()[0].attrs[key]; got != value {
					t.Errorf("%s: got %q, want %q", key, got, value)
				}
			}
			if got := b.all()[0].attrs; len(got) != len(want) {
				t.Errorf("attributes: got %v, want %v", got, want)
			}
		})
	}
}

// refuses is a sink that has no room.
type refuses struct{}

func (refuses) Offer(int) core.Verdict { return core.Full }
func (refuses) Close(error)            {}

// TestLogStorm: one broadcast prunes 100,000; there are ten lines, and a second later one that says how many
// are missing. Nothing is running then.
func TestLogStorm(t *testing.T) {
	many := 100_000
	if testing.Short() {
		many = 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		o := debug.Log(slog.New(b))
		f := core.New(core.Config[int]{Name: "orders", Observer: o})
		for range many {
			if _, err := f.Subscribe(context.Background(), region.Region{}, refuses{}); err != nil {
				t.Fatal(err)
			}
		}
		if out := f.Broadcast(1); out.Pruned != many {
			t.Fatalf("got %+v", out)
		}
		end(t, f)
		if lines, leftOut := b.counts(); lines["subscription pruned"] != 10 || len(b.all()) != 10 {
			t.Errorf("in the storm: got %v lines, %v left out; want ten lines", lines, leftOut)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if lines, leftOut := b.counts(); leftOut["subscription pruned"] != many-10 || len(b.all()) != 11 {
			t.Errorf("after it: got %v lines, %v left out; want one more, of all the others", lines, leftOut)
		}
		if last := b.all()[10]; last.Level != slog.LevelWarn {
			t.Errorf("the summary's level is %v, want its lines'", last.Level)
		}
		time.Sleep(time.Hour)
		if len(b.all()) != 11 {
			t.Errorf("an hour later: %d lines, want no more", len(b.all()))
		}
		for range 9 {
			o.Ended(core.Info{}, &core.PrunedError{})
		}
		if len(b.all()) != 20 {
			t.Errorf("nine prunes an hour later: %d lines, want nine more", len(b.all())-11)
		}
	})
}

// TestLogAccounts: at random times, lines of all kinds. Each is written or counted, no kind takes another's room, and
// no two seconds have more than three windows' worth.
func TestLogAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{level: slog.LevelDebug}
		o := debug.Log(slog.New(b))
		told := make(map[string]int)
		ways := []struct {
			message string
			tell    func()
		}{
			{"subscription is lagging", func() { o.Lagging(core.Info{}) }},
			{"subscription pruned", func() { o.Ended(core.Info{}, &core.PrunedError{}) }},
			{"subscription ended by a panic", func() { o.Ended(core.Info{}, &core.PanicError{}) }},
			{"subscription ended", func() { o.Ended(core.Info{}, core.ErrClosed) }},
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			w := ways[random.IntN(len(ways))]
			for range 1 + random.IntN(12) {
				w.tell()
				told[w.message]++
			}
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()

		lines, leftOut := b.counts()
		for _, w := range ways {
			if lines[w.message]+leftOut[w.message] != told[w.message] || leftOut[w.message] == 0 {
				t.Errorf("%s: %d lines and %d left out, want %d in all", w.message, lines[w.message], leftOut[w.message], told[w.message])
			}
			var times []time.Time // of lines and summaries
			for _, l := range b.all() {
				if strings.HasPrefix(l.Message, w.message) && (l.Message == w.message || strings.HasPrefix(l.Message, w.message+":")) {
					times = append(times, l.Time)
				}
			}
			const room = 22 // of the two windows that a second may touch
			for i := room; i < len(times); i++ {
				if d := times[i].Sub(times[i-room]); d < time.Second {
					t.Errorf("%s: %d lines in %v", w.message, room+1, d)
				}
			}
		}
	})
}

// TestLogNotEnabled: what nobody reads is not counted, and takes no room from what somebody does.
func TestLogNotEnabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{level: slog.LevelWarn}
		o := debug.Log(slog.New(b))
		for range 100 {
			o.Ended(core.Info{}, core.ErrCancelled)
		}
		b.level = slog.LevelDebug
		o.Ended(core.Info{ID: 7}, core.ErrCancelled)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(b.all()) != 1 || b.all()[0].attrs["id"] != "7" {
			t.Errorf("got %v, want the one that was read", b.all())
		}
	})
}

// TestLogNeverHoldsUpABroadcast: while the logger is stuck in a line about one subscription, others are broadcast
// to, are pruned, begin and lag. They are told of when it goes on.
func TestLogNeverHoldsUpABroadcast(t *testing.T) {
	stuck, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := &book{before: func() {
		once.Do(func() { close(stuck) })
		<-goOn
	}}
	f := core.New(core.Config[int]{Name: "orders", Observer: debug.Log(slog.New(b))})
	defer end(t, f)
	subscribe := func(capacity int) *channel.Subscription[int] {
		t.Helper()
		s, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	reading := subscribe(1000)
	if _, err := f.Subscribe(t.Context(), region.Region{}, refuses{}); err != nil {
		t.Fatal(err)
	}
	f.Broadcast(0)
	<-stuck // in the prune's line
	second := subscribe(8)
	for i := 1; i < 100; i++ {
		f.Broadcast(i)
	}
	for want := range 100 {
		if got := <-reading.C(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	close(goOn)
	<-second.Done()
	lines, _ := b.counts()
	if lines["subscription pruned"] != 2 || lines["subscription is lagging"] != 1 {
		t.Errorf("got %v, want two prunes and one warning", lines)
	}
}

// TestLogThatPanics: in a line it is the Fanout's to recover and count, in a summary there is nobody else.
func TestLogThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		b := &book{before: func() {
			calls++
			panic("the disk is full")
		}}
		f := core.New(core.Config[int]{Observer: debug.Log(slog.New(b))})
		for range 12 {
			if _, err := f.Subscribe(context.Background(), region.Region{}, refuses{}); err != nil {
				t.Fatal(err)
			}
		}
		f.Broadcast(1)
		end(t, f)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := f.Stats().Panics; got != 10 || calls != 11 {
			t.Errorf("%d calls, %d panics counted; want ten lines that are, and a summary", calls, got)
		}
	})
}

func TestLogDefault(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	b := &book{}
	slog.SetDefault(slog.New(b))
	o := debug.Log(nil)
	slog.SetDefault(before)
	o.Lagging(core.Info{ID: 3})
	if len(b.all()) != 1 || b.all()[0].attrs["id"] != "3" {
		t.Errorf("got %v, want a line in what was the default logger", b.all())
	}
}
