package top

import (
	"fmt"
	"strings"
	"time"
)

// Stats are a server's figures at one time, as GET /v1/activity has them each second.
type Stats struct {
	At           int64  `json:"at"` // milliseconds since 1970
	Live         uint64 `json:"live"`
	Subscribed   uint64 `json:"subscribed"`
	Broadcasts   uint64 `json:"broadcasts"`
	Matched      uint64 `json:"matched"`
	Accepted     uint64 `json:"accepted"`
	PrunedFull   uint64 `json:"prunedFull"`
	PrunedClosed uint64 `json:"prunedClosed"`
	Cancelled    uint64 `json:"cancelled"`
	Lost         uint64 `json:"lost"`
	Log          struct {
		First uint64 `json:"first"`
		Next  uint64 `json:"next"`
		Bytes uint64 `json:"bytes"`
	} `json:"log"`
	Journal struct {
		Appended uint64 `json:"appended"`
		Groups   uint64 `json:"groups"`
		Failed   uint64 `json:"failed"`
	} `json:"journal"`
	Streams struct {
		Open    uint64 `json:"open"`
		Refused uint64 `json:"refused"`
	} `json:"streams"`
	Followers struct {
		CatchingUp uint64 `json:"catchingUp"`
		Live       uint64 `json:"live"`
		Parked     uint64 `json:"parked"`
		Lag        uint64 `json:"lag"`
	} `json:"followers"`
}

// Rates are what happens in a second. Their JSON is a promise to scripts.
type Rates struct {
	Appended   float64 `json:"appended"`
	Broadcasts float64 `json:"broadcasts"`
	Matched    float64 `json:"matched"`
	Accepted   float64 `json:"accepted"`
	Pruned     float64 `json:"pruned"`
	Lost       float64 `json:"lost"`
}

// Since returns the Rates between two Stats. They are zero where the earlier one is none, or another server's: one that was
// started again counts from 0.
func (s *Stats) Since(earlier *Stats) (r Rates) {
	seconds := float64(s.At-earlier.At) / 1000
	if earlier.At == 0 || seconds <= 0 || s.Broadcasts < earlier.Broadcasts || s.Subscribed < earlier.Subscribed {
		return r
	}
	rate := func(now, then uint64) float64 {
		if now < then {
			return 0
		}
		return float64(now-then) / seconds
	}
	return Rates{
		Appended:   rate(s.Journal.Appended, earlier.Journal.Appended),
		Broadcasts: rate(s.Broadcasts, earlier.Broadcasts),
		Matched:    rate(s.Matched, earlier.Matched),
		Accepted:   rate(s.Accepted, earlier.Accepted),
		Pruned:     rate(s.PrunedFull+s.PrunedClosed, earlier.PrunedFull+earlier.PrunedClosed),
		Lost:       rate(s.Lost, earlier.Lost),
	}
}

// Line is the figures in one line, for a pipe.
func (s *Stats) Line(r Rates) string {
	return fmt.Sprintf("%s  events %s/s  accepted %s/s  pruned %d  lost %d  subscriptions %d  streams %d  lag %d  next %d",
		time.UnixMilli(s.At).UTC().Format("15:04:05"), Short(r.Broadcasts), Short(r.Accepted),
		s.PrunedFull+s.PrunedClosed, s.Lost, s.Live, s.Streams.Open, s.Followers.Lag, s.Log.Next)
}

// Short writes a number in few signs.
func Short(f float64) string {
	switch {
	case f < 10 && f != float64(int(f)):
		return fmt.Sprintf("%.1f", f)
	case f < 10_000:
		return fmt.Sprintf("%.0f", f)
	case f < 10_000_000:
		return fmt.Sprintf("%.0fk", f/1000)
	}
	return fmt.Sprintf("%.0fM", f/1e6)
}

// A Subscription is a row of the table, as GET /v1/subscriptions has it.
type Subscription struct {
	Sink     string `json:"sink"`
	Region   string `json:"region"`
	Held     int    `json:"held"`
	Capacity int    `json:"capacity"`
	Lost     uint64 `json:"lost"`
	Site     string `json:"site"`
	Error    string `json:"error"`
}

// An Ended is a subscription that was pruned or ended otherwise.
type Ended struct {
	At      int64   `json:"at"`
	Region  string  `json:"region"`
	Sink    string  `json:"sink"`
	Site    string  `json:"site"`
	Cause   string  `json:"cause"`
	Verdict string  `json:"verdict"` // of one that was pruned
	Missed  *uint64 `json:"missed"`  // the first that it did not get; nil: it missed nothing
	Count   int     `json:"count"`   // so many more ended, and nothing else is told of them
}

// Line says it in one line. It is a server's text: what prints it has to keep a terminal from obeying it.
func (e *Ended) Line() string {
	if e.Count > 0 {
		return fmt.Sprintf("ended: %d more", e.Count)
	}
	missed := "missed nothing"
	if e.Missed != nil {
		missed = fmt.Sprintf("missed from %d on", *e.Missed)
	}
	why := "ended: " + e.Cause
	if e.Verdict != "" {
		why = "pruned: " + e.Verdict // the cause says the rest once more
	}
	return fmt.Sprintf("%s: %s, %s; %s", strings.ReplaceAll(why, "spillway/core: ", ""), e.Region, missed, e.Site)
}
