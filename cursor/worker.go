package cursor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A Worker hands the events of a Region to a handler, each at least once, those of one entity in order, and saves the
// place below which all are handled. Nothing is passed over but what is set aside as Poison says.
//
// One that another has taken the name from goes on until its next save, which is refused: for so long two handle the same events,
// each in order, and a handler that can't have that saves what it did together with the Epoch of its Worker's Status.
//
// Before events are begun it is saved that they are: one save counts the first attempt of what comes after it, and all
// that was handled before, so that in quiet times nothing is saved twice. A Worker that finds, when it begins, that the one
// before it ended in the middle hands out one event at a time as far as that may have come (with the same Batch and Every), and saves its place before each:
// so an event that kills its process is found, and its attempts are counted.
//
// A Worker has one goroutine, and one more for each call of the handler, which may panic or exit. Wait waits for both.
type Worker struct {
	log  Log
	o    WorkerOptions
	ctx  context.Context
	end  context.CancelCauseFunc
	done chan struct{}

	// Of the Worker's goroutine alone.
	cursor   *Cursor
	room     []core.Envelope
	held     []core.Envelope // what of room is in the part and not handled
	lent     []core.Envelope // a copy, for HandleBatch to do with as it likes
	saved    Checkpoint      // as it was saved last
	savedAt  time.Time
	unsaved  int   // how many events were handled since
	mustSave bool  // whatever Every and Interval say
	unsure   bool  // the last save failed, and may have been made all the same
	careful  int   // how many events are handed out one by one
	tried    int   // how often held's first was begun, and not finished
	why      error // what the last of those attempts returned

	// mu guards what follows: the Worker's goroutine writes it, whoever asks reads it.
	mu     sync.Mutex
	status WorkerStatus
}

// StartWorker claims the Checkpoint of that name and starts a Worker over log, which ends with ctx. It fails with
// ErrWorkerOptions, as Checkpoints.Claim does, and as Open does.
func StartWorker(ctx context.Context, log Log, o WorkerOptions) (*Worker, error) {
	o = o.withDefaults()
	if err := o.validate(log); err != nil {
		return nil, fmt.Errorf("start worker %q: %w", o.Name, err)
	}
	w := &Worker{log: log, o: o, done: make(chan struct{}), room: make([]core.Envelope, o.Batch), savedAt: time.Now()}
	if err := w.claim(ctx); err != nil {
		return nil, fmt.Errorf("start worker %q: %w", o.Name, err)
	}
	w.ctx, w.end = context.WithCancelCause(ctx)
	w.status = WorkerStatus{Epoch: w.saved.Epoch, Place: w.saved.Place, Damaged: w.saved.Damaged}
	go w.run()
	return w, nil
}

// claim sets saved and cursor.
func (w *Worker) claim(ctx context.Context) error {
	place := uint64(0)
	was, err := w.o.Checkpoints.Load(ctx, w.o.Name)
	switch {
	case err == nil && was.Log == w.log.ID(): // of another Log, the Claim says so
		// Claiming fences the owner: not before it is seen that there is something to read.
		_, err = Open(ctx, w.log, w.o.Region, was.Start())
	case errors.Is(err, ErrNoCheckpoint):
		var from Start
		if from, err = w.o.From.plain(ctx, w.log, w.o.Region); err == nil {
			place, err = from.in(ctx, w.log)
		}
	}
	if err != nil {
		return err
	}
	c := NewCheckpoint(w.o.Name, w.log.ID(), w.o.Region, place)
	c.Part = w.o.Part
	c.Move(ctx, w.log, place) // none is stored yet: what is before the first place is noted, too
	if w.saved, err = w.o.Checkpoints.Claim(ctx, c); err != nil {
		return err
	}
	if w.saved.Attempts > 0 {
		w.tried, w.careful = int(w.saved.Attempts), w.o.span()
	}
	w.cursor, err = Open(ctx, w.log, w.o.Region, w.saved.Start())
	return err
}

// Stop has the Worker end: the handler's context ends, what is handled is saved. It doesn't wait; it may be called by a
// handler, and again.
func (w *Worker) Stop() { w.end(ErrStopped) }

// Wait returns when the Worker has ended, and why: nil for Stop, the method or the Answer, and StopWithRollback; the cause of
// the context that StartWorker was given; a *FencedError, *CompactedError, *PoisonError, or what else it could not go
// on from. If ctx ends first it returns its cause. A handler doesn't call it: it would wait for itself.
func (w *Worker) Wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.Status().Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// WorkerStatus is what a Worker has come to.
type WorkerStatus struct {
	Epoch   uint64
	Place   uint64 // as it was saved last
	Handled uint64 // events, since it began
	Skipped uint64 // events that were set aside
	Failed  uint64 // attempts that failed: of handlers, of the store, of the Log
	Ended   bool
	// Damaged is that of the Checkpoint that it began with: it may have begun a generation too early.
	Damaged bool
	// Err is why it ended; or what failed last, while no event was handled since.
	Err error
}

// Status returns what the Worker has come to.
func (w *Worker) Status() WorkerStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// say changes the status.
func (w *Worker) say(change func(s *WorkerStatus)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.status)
}

// failed counts an attempt that failed.
func (w *Worker) failed(err error) {
	w.say(func(s *WorkerStatus) { s.Failed, s.Err = s.Failed+1, err })
}
