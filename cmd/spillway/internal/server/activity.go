package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

const activityPath = "/v1/activity"

// activity tells those who watch what the server does: each second the figures, and each subscription that ends. It has one goroutine,
// however many watch, from start to halt.
type activity struct {
	figures func() any
	stopped chan struct{}
	gone    chan struct{}

	mu       sync.Mutex // held for a few steps, and while what is told is put into the watchers' boxes
	watchers map[chan sse.Notice]struct{}
	said     int // ends told in this second
	left     int // and those that were too many
}

const (
	mostEnds = 100 // told in a second
	mostBox  = 128 // notices that wait for one who watches; the next is dropped
)

func newActivity(figures func() any) *activity {
	return &activity{
		figures: figures, stopped: make(chan struct{}), gone: make(chan struct{}), watchers: make(map[chan sse.Notice]struct{}),
	}
}

func (a *activity) start() { go a.run() }

func (a *activity) halt() {
	close(a.stopped)
	<-a.gone
}

func (a *activity) run() {
	defer close(a.gone)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-second.C:
			a.tell()
		case <-a.stopped:
			return
		}
	}
}

// watch is what goes into a request's stream between events: of activity, notices, and of any other nothing.
func (a *activity) watch(ctx context.Context, r *http.Request) <-chan sse.Notice {
	if r.URL.Path != activityPath {
		return nil
	}
	box := make(chan sse.Notice, mostBox)
	box <- a.stats()
	a.mu.Lock()
	a.watchers[box] = struct{}{}
	a.mu.Unlock()
	context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, box)
	})
	return box
}

func (a *activity) watched() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.watchers) > 0
}

func (a *activity) stats() sse.Notice { return notice("stats", a.figures()) }

func notice(event string, v any) sse.Notice {
	data, err := json.Marshal(v)
	if err != nil { // none of its fields can fail
		panic(err)
	}
	return sse.Notice{Event: event, Data: data}
}

// tell is what is done each second.
func (a *activity) tell() {
	if !a.watched() {
		a.mu.Lock()
		a.said, a.left = 0, 0
		a.mu.Unlock()
		return
	}
	stats := a.stats()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left > 0 {
		a.send(notice("ended", struct {
			At    int64 `json:"at"`
			Count int   `json:"count"` // that were not told one by one
		}{time.Now().UnixMilli(), a.left}))
	}
	a.said, a.left = 0, 0
	a.send(stats)
}

// send gives a notice to all who watch, but for those who are behind. mu is held.
func (a *activity) send(n sse.Notice) {
	for box := range a.watchers {
		select {
		case box <- n:
		default:
		}
	}
}

// An end is what is told of a subscription that ended. Its JSON is a promise to clients.
type end struct {
	At       int64     `json:"at"` // milliseconds since 1970
	ID       uint64    `json:"id"`
	Region   string    `json:"region"`
	Sink     string    `json:"sink"`
	Site     string    `json:"site"`
	Cause    string    `json:"cause"`
	Verdict  string    `json:"verdict,omitempty"` // of one that was pruned
	Missed   *uint64   `json:"missed,omitempty"`  // the first sequence it didn't get
	Held     int       `json:"held"`
	Capacity int       `json:"capacity"`
	Since    time.Time `json:"since"`
}

// ended is told by the fan-out, whose other ends wait meanwhile.
func (a *activity) ended(i core.Info, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.watchers) == 0 {
		return
	}
	if a.said >= mostEnds {
		a.left++
		return
	}
	a.said++
	e := end{
		At: time.Now().UnixMilli(), ID: i.ID, Region: i.Region.String(), Sink: i.Sink, Site: i.Site, Cause: cause.Error(),
		Held: i.Held, Capacity: i.Capacity, Since: i.Since,
	}
	if pruned, ok := errors.AsType[*core.PrunedError](cause); ok {
		e.Verdict, e.Held = pruned.Verdict.String(), pruned.Held
		if pruned.HasMissed {
			e.Missed = &pruned.Missed
		}
	}
	a.send(notice("ended", e))
}

// figures are what is told each second. Its JSON is a promise to clients.
type figures struct {
	At           int64  `json:"at"` // milliseconds since 1970
	Live         int    `json:"live"`
	Subscribed   uint64 `json:"subscribed"`
	Broadcasts   uint64 `json:"broadcasts"`
	Matched      uint64 `json:"matched"`
	Accepted     uint64 `json:"accepted"`
	PrunedFull   uint64 `json:"prunedFull"`
	PrunedClosed uint64 `json:"prunedClosed"`
	Cancelled    uint64 `json:"cancelled"`
	Lost         uint64 `json:"lost"`

	Log struct {
		ID    string `json:"id"`
		First uint64 `json:"first"`
		Next  uint64 `json:"next"`
		Bytes uint64 `json:"bytes"`
	} `json:"log"`
	Journal struct {
		Appended uint64 `json:"appended"`
		Groups   uint64 `json:"groups"`
		Failed   int    `json:"failed"` // 1: it appends nothing any more
	} `json:"journal"`
	Streams struct {
		Open    int    `json:"open"`
		Refused uint64 `json:"refused"`
	} `json:"streams"`
	Followers followFigures `json:"followers"`
}

func (s *Server) figures() any {
	f := figures{At: time.Now().UnixMilli()}
	fanout := s.fanout.Stats()
	f.Live, f.Subscribed, f.Broadcasts, f.Matched, f.Accepted = fanout.Live, fanout.Subscribed, fanout.Broadcasts, fanout.Matched, fanout.Accepted
	f.PrunedFull, f.PrunedClosed, f.Cancelled, f.Lost = fanout.PrunedFull, fanout.PrunedClosed, fanout.Cancelled, fanout.Lost
	f.Log.ID = s.o.Log.ID().String()
	if l, ok := s.o.Log.(cursor.LogSource); ok {
		log := l.LogStats()
		f.Log.First, f.Log.Next, f.Log.Bytes = log.Bounds.First, log.Bounds.Next, log.Bytes
	}
	journal := s.journal.Stats()
	f.Journal.Appended, f.Journal.Groups = journal.Appended, journal.Group.Count
	if journal.Failed != nil {
		f.Journal.Failed = 1
	}
	streams := s.streams.Stats()
	f.Streams.Open, f.Streams.Refused = streams.Open, streams.RefusedFull+streams.RefusedClient
	f.Followers = s.follows.figures(f.Log.Next)
	return f
}
