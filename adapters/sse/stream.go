package sse

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A stream is one response. All of it is written by its request's goroutine.
type stream struct {
	h       *Handler
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	client  string
	ctx     context.Context
	cancel  context.CancelFunc
	pause   pause

	regions []region.Region
	source  source
	notices <-chan Notice // nil: none
	next    uint64        // with a log: nothing below it is still to be sent
	resumes bool          // the client has given an id, and has it for when it comes back
	room    []core.Envelope
	page    *page     // what is being written; nil in between
	written time.Time // when something was last

	tally    Stats // of this stream
	begun    bool  // run was called,
	finished bool  // and has returned
}

// batch is how many events are written between two flushes, at most. A Follower has no more of them when it is live.
const batch = 32

// A page is room for what is written. Streams that wait have none.
type page struct{ frames, data []byte }

var pages = sync.Pool{New: func() any { return new(page) }}

// mostKept is how large a page is kept.
const mostKept = 1 << 16

func newStream(h *Handler, w http.ResponseWriter, r *http.Request, client string) *stream {
	s := &stream{h: h, w: w, r: r, client: client, control: http.NewResponseController(w)}
	s.ctx, s.cancel = context.WithCancel(r.Context())
	s.pause.own = s.ctx
	return s
}

// errGone is why a stream ends that nobody reads any more.
var errGone = errors.New("spillway/sse: the client has gone, or takes nothing")

// run streams until the stream is over.
func (s *stream) run() {
	s.begun = true
	defer s.pause.stop()
	if s.h.o.Notices != nil {
		stop := s.listen(s.h.o.Notices(s.ctx, s.r))
		defer stop()
	}
	s.room = make([]core.Envelope, batch)
	err := s.open()
	for err == nil {
		err = s.turn()
	}
	s.giveBack()
	s.finished = true
}

// turn writes what there is, or waits for it. An error ends the stream.
func (s *stream) turn() error {
	if s.pause.answer() {
		if s.h.stopped() {
			return s.end(ending{Reason: "stopping"})
		}
		if err := s.notify(); err != nil {
			return err
		}
	}
	n, mark, err := s.source.NextBatch(s.pause.until(s.written.Add(s.h.o.Heartbeat)), s.room)
	switch {
	case n > 0:
		return s.events(s.room[:n])
	case err == nil:
		return s.mark(mark)
	case s.ctx.Err() != nil:
		return errGone
	case s.pause.over():
		if time.Since(s.written) < s.h.o.Heartbeat {
			return nil
		}
		s.add(heartbeat)
		return s.flush()
	}
	return s.sourceEnded(err)
}

// open writes what a stream begins with.
func (s *stream) open() error {
	header := s.w.Header()
	setHeaders(header)
	if s.h.log != "" {
		header.Set("Spillway-From", s.place())
	}
	if s.r.ProtoMajor == 1 {
		header.Set("Connection", "close") // the last deadline stays set, and would be the next request's
	}
	s.blank().frames = appendRetry(s.page.frames, s.wait())
	if !s.resumes && s.h.log != "" && len(s.regions) > 0 {
		return s.progress() // or who comes back before the first event would begin anew
	}
	return s.flush()
}

// wait is how long this client is to wait before it comes back: they don't all come at once.
func (s *stream) wait() time.Duration {
	retry := s.h.o.Retry
	return retry/2 + rand.N(retry)
}

// place is the text of where to resume.
func (s *stream) place() string { return string(appendPlace(nil, s.h.log, s.next)) }

// blank returns the page that is being written, an empty one if none is.
func (s *stream) blank() *page {
	if s.page == nil {
		s.page = pages.Get().(*page)
		s.page.frames = s.page.frames[:0]
	}
	return s.page
}

func (s *stream) add(text string) { s.blank().frames = append(s.blank().frames, text...) }

// events writes a batch.
func (s *stream) events(es []core.Envelope) error {
	p := s.blank()
	o := &s.h.o
	for i := range es {
		e := &es[i]
		name := ""
		if o.Event != nil {
			name = o.Event(*e)
		}
		data, err := o.Data(p.data[:0], *e)
		if err == nil && !nameable(name) {
			err = errName
		}
		if err != nil {
			o.Logger.ErrorContext(s.ctx, "spillway/sse: an event can't be sent", "sequence", e.Sequence, "error", err)
			return s.end(ending{Reason: "an event can't be sent"})
		}
		p.data = data
		p.frames = appendEvent(p.frames, s.h.log, e.Sequence, name, data)
		s.next = e.Sequence + 1
		s.tally.Events++
		if len(p.frames) >= mostKept {
			if err := s.write(); err != nil {
				return err
			}
		}
	}
	clear(es)
	return s.flush()
}

// mark has the stream say what the Follower does, where a client should know.
func (s *stream) mark(m cursor.Mark) error {
	s.next = max(s.next, m.Place)
	if m.Kind != cursor.Progress {
		return nil
	}
	return s.progress()
}

func (s *stream) progress() error {
	return s.say(EventProgress, struct {
		From string `json:"from"`
	}{s.place()})
}

// say writes an event of the stream's own.
func (s *stream) say(name string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s.blank().frames = appendOwn(s.page.frames, s.h.log, s.next, name, text)
	return s.flush()
}

// An ending is the data of EventEnd.
type ending struct {
	Reason string  `json:"reason"`
	From   string  `json:"from,omitempty"`
	Missed *uint64 `json:"missed,omitempty"`
}

// end writes why the stream ends and where to resume, and returns an error.
func (s *stream) end(e ending) error {
	if s.h.log != "" {
		e.From = s.place()
	}
	s.blank().frames = appendRetry(s.page.frames, s.wait())
	if err := s.say(EventEnd, e); err != nil {
		return err
	}
	return errGone
}

// write hands the page's frames on, within the deadline. Whatever is wrong, the client is not to be reached.
func (s *stream) write() error {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.h.o.WriteTimeout)); err != nil {
		return s.gone(err)
	}
	n, err := s.w.Write(s.page.frames)
	s.tally.Bytes += uint64(n)
	s.page.frames = s.page.frames[:0]
	if err != nil {
		return s.gone(err)
	}
	return nil
}

// flush ends a batch. What net/http has taken it may keep until then, and it is then that it says what became of it. Without
// the deadline cleared, HTTP/2 would end a stream that is quiet.
func (s *stream) flush() error {
	if err := s.write(); err != nil {
		return err
	}
	if err := s.control.Flush(); err != nil {
		return s.gone(err)
	}
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil {
		return s.gone(err)
	}
	s.written = time.Now()
	s.giveBack()
	return nil
}

func (s *stream) gone(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.tally.Stuck++
	}
	return errGone
}

// giveBack gives back the page.
func (s *stream) giveBack() {
	if s.page == nil {
		return
	}
	if cap(s.page.frames) > 2*mostKept {
		s.page.frames = nil
	}
	if cap(s.page.data) > mostKept {
		s.page.data = nil
	}
	pages.Put(s.page)
	s.page = nil
}
