package sse

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A source is where a stream's events come from. A *cursor.Follower is one.
type source interface {
	NextBatch(ctx context.Context, dst []core.Envelope) (int, cursor.Mark, error)
}

// begin finds the place to begin at, and subscribes where there is no log: what is broadcast once the client has the headers
// is in its stream.
func (s *stream) begin(regions []region.Region, at place) *problem {
	s.regions = regions
	log := s.h.o.Log
	switch {
	case log == nil && len(regions) == 0:
		s.source = nothing{}
		return nil
	case log == nil:
		return s.beginLive(at)
	case at.log != "" && at.log != s.h.log, shortID(log.ID()) != s.h.log:
		p := newProblem(http.StatusGone, "replaced", "That is another log's",
			fmt.Sprintf("the place is in log %s, and this is %s: begin anew", at.log, s.h.log))
		p.Log = s.h.log
		return p
	}
	b, err := log.Bounds(s.ctx)
	if err != nil {
		return newProblem(http.StatusServiceUnavailable, "log", "The log can't be read", err.Error()).again(s.h.o.Retry)
	}
	s.next, s.resumes = b.Next, at.id
	switch at.where {
	case first:
		s.next = b.First
	case after, from:
		s.next = at.sequence
		if at.where == after {
			s.next++
		}
		if at.sequence == math.MaxUint64 || s.next > b.Next {
			p := newProblem(http.StatusGone, "beyond", "That is beyond the log's end",
				fmt.Sprintf("sequence %d is asked for, and the log's next is %d: it has lost its end, or the place is another log's; begin anew", at.sequence, b.Next))
			p.Log, p.Left, p.Next = s.h.log, &b.First, &b.Next
			return p
		}
	}
	if len(regions) == 0 {
		s.source = nothing{}
		return nil
	}
	s.follow()
	return nil
}

// follow has the stream's events come from the log, from its place on.
func (s *stream) follow() {
	log, of := s.h.o.Log, s.regions[0]
	feed := func(ctx context.Context, f *core.Fanout[core.Envelope], r region.Region) (cursor.Feed, error) {
		return ring.Subscribe(ctx, f, r, ring.Options{Capacity: s.h.o.Buffer})
	}
	if len(s.regions) > 1 {
		log = &unionLog{Log: log, regions: s.regions}
		feed = func(ctx context.Context, f *core.Fanout[core.Envelope], _ region.Region) (cursor.Feed, error) {
			return openUnion(ctx, f, s.regions, s.h.o.Buffer)
		}
	}
	follower := cursor.Follow(s.ctx, log, s.h.o.Fanout, of, cursor.FollowOptions{
		Feed: feed, From: cursor.From(s.next), ProgressEvery: s.h.o.ProgressEvery, Reads: s.h.o.Reads,
	})
	if s.h.o.Followed != nil {
		s.h.o.Followed(follower)
	}
	s.source = follower
}

// sourceEnded goes on where that is possible, and ends the stream where it isn't.
func (s *stream) sourceEnded(err error) error {
	if compacted, ok := errors.AsType[*cursor.CompactedError](err); ok && compacted.First > s.next {
		asked := s.next
		s.next = compacted.First
		s.follow()
		s.tally.Gaps++
		return s.say(EventGap, struct {
			Asked uint64 `json:"asked"`
			Left  uint64 `json:"left"`
		}{asked, compacted.First})
	}
	e := ending{Reason: "failed"}
	switch pruned, ok := errors.AsType[*core.PrunedError](err); {
	case ok:
		e.Reason = "fell behind"
		if pruned.HasMissed {
			e.Missed = &pruned.Missed
		}
		s.tally.FellBehind++
	case errors.Is(err, core.ErrClosed), errors.Is(err, cursor.ErrClosed):
		e.Reason = "closed"
	case errors.Is(err, core.ErrCancelled): // by Fanout.Cancel
		e.Reason = "ended"
	case errors.Is(err, cursor.ErrReplaced), errors.Is(err, cursor.ErrBeyond):
		e.Reason = "replaced"
	}
	if e.Reason == "failed" || e.Reason == "replaced" {
		s.h.o.Logger.ErrorContext(s.ctx, "spillway/sse: a stream has ended", "error", err)
	}
	return s.end(e)
}

// beginLive subscribes, where there is no log.
func (s *stream) beginLive(at place) *problem {
	if at.where != live {
		return newProblem(http.StatusGone, "live", "There is no log to resume from", "what was missed can't be read again: begin anew, without a place")
	}
	var (
		feed feed
		err  error
	)
	if len(s.regions) == 1 {
		feed, err = ring.Subscribe(s.ctx, s.h.o.Fanout, s.regions[0], ring.Options{Capacity: s.h.o.Buffer})
	} else {
		feed, err = openUnion(s.ctx, s.h.o.Fanout, s.regions, s.h.o.Buffer)
	}
	if err != nil {
		return newProblem(http.StatusServiceUnavailable, "closed", "Nothing is broadcast any more", err.Error()).again(s.h.o.Retry)
	}
	s.source = pushed{feed}
	return nil
}

// A feed is a subscription that is read in batches.
type feed interface {
	NextBatch(ctx context.Context, dst []core.Envelope) (int, error)
}

// pushed is the source of a stream without a log.
type pushed struct{ feed feed }

func (p pushed) NextBatch(ctx context.Context, dst []core.Envelope) (n int, _ cursor.Mark, err error) {
	n, err = p.feed.NextBatch(ctx, dst)
	return n, cursor.Mark{}, err
}

// nothing is the source of a stream of notices alone.
type nothing struct{}

func (nothing) NextBatch(ctx context.Context, _ []core.Envelope) (int, cursor.Mark, error) {
	<-ctx.Done()
	return 0, cursor.Mark{}, context.Cause(ctx)
}
