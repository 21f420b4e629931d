package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A logReport is what a replay says of its log. Its JSON is a promise to scripts.
type logReport struct {
	Dir       string `json:"dir"`
	ID        string `json:"id"`
	Resumed   uint64 `json:"resumed_at"` // so many events were there before
	Events    uint64 `json:"events"`
	Hash      string `json:"hash"`
	InputHash string `json:"input_hash"` // of as many events of the input
	Level     string `json:"level"`      // what a crash of the machine could have taken back

	Live   uint64 `json:"live"`       // events handed out that were pushed
	Pulled uint64 `json:"pulled"`     // and those that they read from the log
	After  uint64 `json:"read_after"` // events read from the log when followers had been left, since no more was appended
	Parked uint64 `json:"parked"`     // how often followers were pruned
	Rejoin uint64 `json:"live_again"` // and how often they went live, the first time too

	Missed int `json:"missed_by_readers"` // by those who read

	ended time.Time // when everybody had read everything
}

// newLogReport reads the log, and checks that it is whole.
func newLogReport(l *ledger, readers []*reader, fed int) (*logReport, error) {
	r := &logReport{
		Dir: l.dir, ID: l.log.ID().String(), Resumed: l.resumed, Level: l.log.Level().String(),
		InputHash: hashOf(l.events[:fed]).String(), ended: time.Now(),
	}
	for _, each := range readers {
		if w, ok := each.out.(*following); ok {
			s := w.follower.Stats()
			r.Live += s.Live
			r.Pulled += uint64(len(each.received)-w.after) - s.Live
			r.After += uint64(w.after)
			r.Parked += s.Parked
			r.Rejoin += s.Resumed
		}
	}
	h := newEventHash()
	err := l.log.Verify(context.Background(), func(e core.Envelope) error {
		h.add(&e)
		return nil
	})
	r.Events, r.Hash = h.count, h.String()
	return r, err
}

// wrong says how the log differs from the input; nil where it doesn't.
func (r *logReport) wrong() error {
	if r.Hash == r.InputHash {
		return nil
	}
	return fmt.Errorf("%s: the log's hash is %s, and the input's %s", r.Dir, r.Hash, r.InputHash)
}

func (r *logReport) writeTable(w io.Writer) {
	fmt.Fprintf(w, "followers: %d deliveries by push, %d from the log, %d read after their end; parked %d times, live %d times; missed by those who read: %d\n",
		r.Live, r.Pulled, r.After, r.Parked, r.Rejoin, r.Missed)
	if r.Resumed > 0 {
		fmt.Fprintf(w, "resumed at event %d\n", r.Resumed)
	}
	fmt.Fprintf(w, "log: %d events, hash %s; the input's: %s; sync: %s\n", r.Events, r.Hash, r.InputHash, r.Level)
}
