package bench

import (
	"math"
	"strings"
	"testing"
	"time"
)

// BenchmarkLatency asks how long after an event is due a reader has it, and how long the unluckiest wait.
func BenchmarkLatency(b *testing.B) {
	for _, l := range Latencies() {
		b.Run(l.Name(), func(b *testing.B) {
			h := l.Measure(b, b.Loop)
			for _, p := range []struct {
				name       string
				percentile float64
			}{{"p50-ns", 50}, {"p99-ns", 99}, {"p99.9-ns", 99.9}} {
				b.ReportMetric(float64(h.ValueAtPercentile(p.percentile)), p.name)
			}
			b.ReportMetric(0, "ns/op") // not printed: the time is that of the timetable
		})
	}
}

// Every side is there with the same crowds, has a name of its own, and records each event of each reader once.
func TestLatencies(t *testing.T) {
	seen := make(map[string]bool)
	for _, l := range Latencies() {
		if seen[l.Name()] {
			t.Errorf("%s is there twice", l.Name())
		}
		seen[l.Name()] = true
		seen[l.Side] = true
		l.Rate = 40_000 // a tenth of the time, and who is late is no failure
		t.Run(l.Name(), func(t *testing.T) {
			rounds := 0
			h := l.Measure(t, func() bool { rounds++; return rounds < 2 })
			if got, want := h.TotalCount(), int64(2*l.Readers*hearingRoom); got != want {
				t.Errorf("%d latencies, want %d", got, want)
			}
			if h.Min() <= 0 {
				t.Errorf("an event was there %d ns after it was due", h.Min())
			}
		})
	}
	for _, side := range []string{"channel", "callback", "ring", "multicast", Baseline} {
		if !seen[side] {
			t.Errorf("%s is missing", side)
		}
	}
}

// held is a side whose sender is held up once for d, before event at.
func held(at uint64, d time.Duration) opening {
	return func(h Host, readers int) (func(uint64), []listen) {
		send, listens := hearPlain(h, readers)
		return func(event uint64) {
			if event == at {
				for start := time.Now(); time.Since(start) < d; {
				}
			}
			send(event)
		}, listens
	}
}

// A hold-up is in the latency of all the events that were due meanwhile: the timetable doesn't slip.
func TestLatencyOmitsNoHoldUp(t *testing.T) {
	const rate, hold = 10_000, 40 * time.Millisecond // four hundred events are due meanwhile
	l := Latency{Side: "held", Readers: 1, Rate: rate, open: held(2_500, hold)}
	rounds := 0
	h := l.Measure(t, func() bool { rounds++; return rounds < 2 })
	late := 0
	for _, bar := range h.Distribution() {
		if bar.From >= int64(hold)/2 {
			late += int(bar.Count)
		}
	}
	if h.Max() < int64(hold)*98/100 || late < 150 {
		t.Errorf("the greatest latency is %v, and %d events have more than half of the hold-up's %v; want 150 at least",
			time.Duration(h.Max()), late, hold)
	}
}

// A reader that gets other events than were sent fails the measurement.
func TestLatencyChecksWhatIsRead(t *testing.T) {
	l := Latency{Side: "wrong", Readers: 2, Rate: 10_000, open: func(h Host, readers int) (func(uint64), []listen) {
		send, listens := hearPlain(h, readers)
		return func(event uint64) {
			if event == 7 {
				event = 8
			}
			send(event)
		}, listens
	}}
	defer func() {
		if v, ok := recover().(failed); !ok || !strings.Contains(string(v), "a reader has") {
			t.Errorf("it ended with %q; want what a reader has", v)
		}
	}()
	l.Measure(fatal{t}, func() bool { return false })
}

// A fatal is a test whose Fatalf panics instead.
type fatal struct{ *testing.T }

func (fatal) Fatalf(format string, args ...any) { recorder{}.Fatalf(format, args...) }

func TestTimetable(t *testing.T) {
	begin := time.Now()
	table := timetable{start: begin, interval: time.Millisecond, next: 3}
	if got := table.due(math.MaxUint16).Sub(begin); got != math.MaxUint16*time.Millisecond {
		t.Errorf("event %d is due after %v", math.MaxUint16, got)
	}
	if table.await(); time.Since(begin) < 3*time.Millisecond {
		t.Error("it didn't wait until event 3 was due")
	}
}
