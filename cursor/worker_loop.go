package cursor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/spillwayhq/spillway/core"
)

// How a Worker ends by its handler's Answer.
var (
	errAnsweredStop = errors.New("the handler answered Stop")
	errRolledBack   = errors.New("the handler answered StopWithRollback")
)

// lastSave is how long an ending Worker tries to save its place: its own context is over by then.
const lastSave = 10 * time.Second

func (w *Worker) run() {
	err := w.leave(w.work())
	w.say(func(s *WorkerStatus) { s.Ended, s.Err = true, err })
	w.end(nil)
	close(w.done)
}

// work hands out events until something ends it, and returns what.
func (w *Worker) work() error {
	for {
		if len(w.held) == 0 {
			if err := w.fetch(); err != nil {
				return err
			}
		}
		if w.ctx.Err() != nil {
			return w.over()
		}
		if w.tried >= w.o.Attempts {
			if err := w.setAside(); err != nil {
				return err
			}
			w.handled(1)
			w.say(func(s *WorkerStatus) { s.Skipped++ })
			w.mustSave = true
			continue
		}
		if w.careful > 0 || w.saved.Attempts == 0 || w.due() {
			if err := w.save(w.tried + 1); err != nil {
				return err
			}
		}
		if err := w.handOut(w.held[:w.next()]); err != nil {
			return err
		}
	}
}

// next returns how many events to hand out at once.
func (w *Worker) next() int {
	n := len(w.held)
	if w.careful > 0 {
		return 1
	}
	if w.o.Every > 0 {
		n = min(n, w.o.Every-w.unsaved) // not 0, or a save would have been due
	}
	return n
}

// handOut hands es to the handler, and returns what ends the Worker.
func (w *Worker) handOut(es []core.Envelope) error {
	h := w.call(es)
	w.handled(h.done)
	if h.done > 0 {
		w.say(func(s *WorkerStatus) { s.Handled, s.Err = s.Handled+uint64(h.done), nil })
	}
	if w.o.Every == 0 && w.o.Interval == 0 {
		w.mustSave = true
	}
	switch {
	case h.err != nil && w.ctx.Err() != nil:
		return w.over()
	case h.err != nil && w.o.HandleBatch != nil && len(es) > 1: // whichever it was: it is found one by one
		w.careful = max(w.careful, len(es))
		w.failed(h.err)
		return w.sleep(w.o.pause(1))
	case h.err != nil:
		w.tried, w.why = w.tried+1, h.err
		w.careful = max(w.careful, 1)
		w.failed(h.err)
		if w.tried < w.o.Attempts {
			return w.sleep(w.o.pause(w.tried))
		}
	case h.answer == Stop:
		return errAnsweredStop
	case h.answer == StopWithRollback:
		return errRolledBack
	}
	return nil
}

// handled moves on over n events.
func (w *Worker) handled(n int) {
	if n == 0 {
		return
	}
	w.held = w.held[n:]
	w.unsaved += n
	w.careful = max(0, w.careful-n)
	if w.tried > 0 {
		w.mustSave = true // or the next Worker takes what is saved of its attempts for failures
	}
	w.tried, w.why = 0, nil
}

// place returns the sequence below which all is handled.
func (w *Worker) place() uint64 {
	if len(w.held) > 0 {
		return w.held[0].Sequence
	}
	return w.cursor.Place()
}

// due tells whether it is time to save.
func (w *Worker) due() bool {
	return w.mustSave || w.o.Every > 0 && w.unsaved >= w.o.Every || w.unsaved >= longestSpan ||
		w.o.Interval > 0 && w.unsaved > 0 && time.Since(w.savedAt) >= w.o.Interval
}

// save saves the place, and that the event there was begun so often.
func (w *Worker) save(attempts int) error {
	return w.insist("save the checkpoint", func() error { return w.saveAt(w.ctx, w.place(), attempts) })
}

func (w *Worker) saveAt(ctx context.Context, place uint64, attempts int) error {
	c := w.saved
	if place != c.Place {
		c.Move(ctx, w.log, place)
	}
	c.Attempts, c.Written = uint32(attempts), uint64(max(0, time.Now().UnixMilli()))
	w.unsure = true
	if err := w.o.Checkpoints.Save(ctx, c); err != nil {
		return err
	}
	w.saved, w.savedAt, w.unsaved, w.mustSave, w.unsure = c, time.Now(), 0, false, false
	w.say(func(s *WorkerStatus) { s.Place = place })
	return nil
}

// leave saves what can be saved at the end, and returns what to say of it.
func (w *Worker) leave(why error) error {
	place, attempts := w.place(), w.tried
	over, outside := why.(overError) //nolint:errorlint // work's own, which nobody wraps
	if outside {
		why = over.cause
	}
	switch {
	case outside && !errors.Is(why, ErrStopped): // it may be anything: what ended another Worker, for example
	case errors.Is(why, ErrPoison): // first: what the handler returned is in it, which may be anything
		attempts = 0
	case errors.Is(why, ErrFenced), errors.Is(why, ErrMismatch), errors.Is(why, ErrCorruptCheckpoint), errors.Is(why, ErrNoCheckpoint):
		return why
	case errors.Is(why, errRolledBack):
		place, attempts, why = w.saved.Place, int(w.saved.Attempts)-1, nil
	case errors.Is(why, errAnsweredStop), errors.Is(why, ErrStopped):
		why = nil
	}
	if !w.unsure && place == w.saved.Place && attempts == int(w.saved.Attempts) {
		return why
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), lastSave)
	defer cancel()
	if err := w.saveAt(ctx, place, attempts); err != nil {
		return errors.Join(why, fmt.Errorf("save the checkpoint at the end: %w", err))
	}
	return why
}

// fetch waits for events, and sets held.
func (w *Worker) fetch() error {
	for {
		n := 0
		err := w.insist("read", func() (err error) {
			n, err = w.cursor.Poll(w.ctx, w.room)
			return err
		})
		if err != nil {
			return err
		}
		w.held = w.room[:0]
		for _, e := range w.room[:n] {
			if w.o.Part.Has(e.Coordinate) {
				w.held = append(w.held, e)
			}
		}
		switch {
		case len(w.held) > 0:
			if w.held[0].Sequence != w.saved.Place {
				w.tried = 0 // what the worker before this one had begun was another event
			}
			return nil
		case n == 0:
			if err := w.idle(); err != nil {
				return err
			}
		case w.place()-w.saved.Place >= longestSpan: // all of them other parts'
			if err := w.save(0); err != nil {
				return err
			}
		}
	}
}

// idle waits at the Log's end until there may be more, or it is time to save.
func (w *Worker) idle() error {
	ctx := w.ctx
	// The place moves over others' events too, or retention would pass a Worker whose Region is quiet.
	if w.saved.Attempts > 0 || w.unsaved > 0 || w.place()-w.saved.Place >= uint64(w.o.Batch) {
		left := w.o.Interval - time.Since(w.savedAt)
		if w.o.Interval == 0 || left <= 0 {
			if err := w.save(0); err != nil {
				return err
			}
		} else {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(w.ctx, left)
			defer cancel()
		}
	}
	return w.insist("wait", func() error {
		err := w.log.Wait(ctx, w.cursor.Place())
		if err != nil && ctx.Err() != nil && w.ctx.Err() == nil {
			return nil // time to save
		}
		return err
	})
}

// setAside does what Poison says with held's first.
func (w *Worker) setAside() error {
	e := w.held[0]
	poison := &PoisonError{Worker: w.o.Name, Event: e, Attempts: w.tried, Err: w.why}
	if w.why == nil {
		poison.Err = ErrDied
	}
	switch w.o.Poison {
	case StopOnPoison:
		return poison
	case DeadLetterPoison:
		if err := w.insist("append a dead letter", func() error {
			_, err := w.o.DeadLetters.Append(w.ctx, []Draft{deadLetter(w.o.Name, e)})
			return err
		}); err != nil {
			return err
		}
	}
	if w.o.Skipped != nil {
		return guarded(func() { w.o.Skipped(poison) })
	}
	return nil
}

// deadLetter returns e as a dead letter of a worker: the same each time, so that it is appended once.
func deadLetter(worker string, e core.Envelope) Draft {
	d := Draft{
		EventID:       core.ID(uuid.NewSHA1(uuid.UUID(e.EventID), []byte("dead letter of "+worker))),
		CorrelationID: e.CorrelationID,
		CausationID:   e.EventID,
		Coordinate:    e.Coordinate,
		Kind:          e.Kind,
		Lane:          e.Position.Lane,
		Depth:         e.Position.Depth,
		Time:          e.Time,
		Payload:       e.Payload,
	}
	if d.CorrelationID == (core.ID{}) {
		d.CorrelationID = e.EventID
	}
	return d
}

// insist tries something again that may succeed later, as often as an event, with the same pauses.
func (w *Worker) insist(what string, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		switch {
		case err == nil:
			return nil
		case w.ctx.Err() != nil:
			return w.over() // what is saved is tried once more, by leave
		case hopeless(err):
			return err
		}
		w.failed(err)
		if n >= w.o.Attempts {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := w.sleep(w.o.pause(n)); err != nil {
			return err
		}
	}
}

// hopeless tells whether trying again changes nothing.
func hopeless(err error) bool {
	for _, is := range []error{
		ErrFenced, ErrMismatch, ErrCorruptCheckpoint, ErrNoCheckpoint, ErrCompacted, ErrBeyond, ErrClosed, ErrDuplicate, ErrLimit, ErrFailed,
	} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// sleep returns nil when so much time has passed, and the cause if the Worker's context ends first.
func (w *Worker) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-w.ctx.Done():
		return w.over()
	}
}

// An overError says that the Worker's context has ended, and why: that is somebody else's error, however much it looks like one of the
// Worker's.
type overError struct{ cause error }

func (e overError) Error() string { return e.cause.Error() }

// over returns why the Worker's context has ended.
func (w *Worker) over() error { return overError{context.Cause(w.ctx)} }
