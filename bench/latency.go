package bench

import (
	"fmt"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Latency is one distribution of the time from when an event was due to be sent until a reader had it.
//
// Events are due at a fixed rate, by a timetable that is made once: it does not slip when the sender is late, or waits, so
// what a hold-up costs is in the latency of every event that was due meanwhile, and not in that of one. (To time from when a
// late sender came to send would leave out just the events that had to wait: coordinated omission.)
type Latency struct {
	Side    string // an adapter, or the baseline: a plain buffered channel for each reader
	Readers int
	Rate    int // events a second

	open opening
}

// Baseline is the Side of the baseline.
const Baseline = "plain"

const (
	longest     = int64(time.Minute) // a latency is at most this
	digits      = 2                  // that count in a recorded latency: a part in a hundred and twenty-eight
	hearingRoom = 1024               // events that every buffer has room for; no round has more
)

// Latencies returns all of them: each side with one reader and with a hundred.
func Latencies() []Latency {
	var all []Latency
	for _, crowd := range []struct{ readers, rate int }{{1, 20_000}, {100, 2_000}} {
		for _, side := range openings {
			all = append(all, Latency{Side: side.name, Readers: crowd.readers, Rate: crowd.rate, open: side.open})
		}
	}
	return all
}

// Name returns what a Latency is called everywhere: side=ring/readers=100.
func (l Latency) Name() string { return fmt.Sprintf("side=%s/readers=%d", l.Side, l.Readers) }

// Measure sends events as long as more is true, a round's at least, and returns their latencies in nanoseconds, one
// an event and reader. Readers check how many events they get, and the sum of them. What goes wrong is h's Fatalf.
func (l Latency) Measure(h Host, more func() bool) *hdrhistogram.Histogram {
	h.Helper()
	block := min(l.Rate/10, hearingRoom) // a round's; it fits every buffer, so that nobody is pruned
	crowd := NewCrowd(l.Readers, block)
	h.Cleanup(crowd.Wait)
	send, listens := l.open(h, l.Readers)

	t := &timetable{interval: time.Second / time.Duration(l.Rate)}
	records := make([]*hdrhistogram.Histogram, len(listens))
	for i, listen := range listens {
		records[i] = hdrhistogram.New(1, longest, digits)
		crowd.Go(func(got func(n int, sum uint64)) error {
			return listen(func(events []uint64) {
				var sum uint64
				now := time.Now()
				for _, event := range events {
					_ = records[i].RecordValue(min(int64(now.Sub(t.due(event))), longest)) // its only error is a value beyond
					sum += event
				}
				got(len(events), sum)
			})
		})
	}
	round := func() {
		lost := time.AfterFunc(patience, func() { crowd.fail(fmt.Errorf("some readers lack events after %v", patience)) })
		defer lost.Stop()
		for range block {
			t.await()
			send(t.next)
			t.next++
		}
		if err := crowd.Await(); err != nil {
			h.Fatalf("latency %s: %v", l.Name(), err)
		}
	}
	t.start = time.Now()
	for range (hearingRoom + block - 1) / block {
		round() // what every place of a buffer costs at first, and what a first wait allocates, is not measured
	}
	for _, r := range records {
		r.Reset()
	}
	for going := true; going; going = more() {
		round()
	}
	all := hdrhistogram.New(1, longest, digits)
	for _, r := range records {
		all.Merge(r)
	}
	return all
}

// A timetable says when each event is due.
type timetable struct {
	start    time.Time // when event 0 is due; written before it is sent
	interval time.Duration
	next     uint64
}

func (t *timetable) due(event uint64) time.Time {
	return t.start.Add(time.Duration(event) * t.interval)
}

// await returns when the next event is due, at once if the sender is late. It gives way meanwhile, as a service's goroutine does
// that waits for its input: whoever it has woken may run in its place.
func (t *timetable) await() {
	for due := t.due(t.next); time.Now().Before(due); {
		runtime.Gosched()
	}
}
