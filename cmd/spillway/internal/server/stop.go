package server

import (
	"context"
	"errors"
	"sync"
	"time"
)

// stopping is how far Shutdown is.
type stopping struct {
	once sync.Once
	err  error
}

// Shutdown ends the Server, in this order: no request with events and no stream is let in, and those under way with events end; the journal
// commits what it has; each stream is told where to resume; connections are closed; the log is closed. Until the streams
// have ended other requests are answered, so that whoever looks is told that the server is stopping.
//
// When ctx is over, what is still under way is cut off; those whose events the log was asked to take have a second to be told what is known
// of that. Whatever happens, the log is closed at the end, and what was answered as accepted
// is in it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop.once.Do(func() { s.stop.err = s.shutdown(ctx) })
	return s.stop.err
}

// answersTake is how long those may take who send events, and are told at the end that nobody knows what has become of them.
const answersTake = time.Second

func (s *Server) shutdown(ctx context.Context) error {
	cut := func(what string, err error) {
		if err != nil {
			s.o.Logger.Warn("stopping takes too long, and is forced", "what", what, "error", err)
		}
	}
	cut("requests with events", s.ingests.stop(ctx))
	err := s.journal.Close(ctx)
	if errors.Is(err, context.Cause(ctx)) && ctx.Err() != nil {
		cut("the journal", err)
		err = nil
	}
	cut("streams", s.streams.Shutdown(ctx))
	if ctx.Err() != nil {
		answers, done := context.WithTimeout(context.WithoutCancel(ctx), answersTake)
		_ = s.ingests.stop(answers) // it was said before that it is forced
		done()
	}
	if e := s.http.Shutdown(ctx); e != nil {
		cut("connections", e)
		_ = s.http.Close() // they are cut off
	}
	// With their connections closed, streams end by their next write.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Bounds.Write)
	defer cancel()
	cut("streams", s.streams.Shutdown(last))
	s.activity.halt()
	s.tree.halt()
	_ = s.fanout.Close() // it returns nil
	cut("subscriptions", s.fanout.Wait(last))
	return errors.Join(err, s.o.Log.Close())
}
