package cursor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A writer is what the Journal's goroutine has in hand: the batches of a group that have no answer yet.
type writer struct {
	begun bool   // next is known
	next  uint64 // the sequence from which on nothing was broadcast

	batches []*pending      // the end of group
	drafts  []Draft         // of all of them, in order: the end of buffer
	group   []*pending      // used again for each group
	buffer  []Draft         // the same
	told    []*pending      // for answer, used again
	page    []core.Envelope // for what others appended; nil until it is needed

	calling bool            // a method of the Log, which must come back
	made    []core.Envelope // the answers to the first batches; nil when they have been handed on
	at      int             // which of them is to be broadcast next
	of      int             // how many batches they are
	silent  bool            // the next event can't be had, and so none behind it is broadcast

	counts counts // since the last answer
}

// How long the writer waits before it tries again: twice as long each time, up to the most, and a random half of it.
const (
	leastPause = time.Millisecond
	mostPause  = time.Second
)

// asks is how many Drafts, of each that a group has, the Log may look at for nothing, before what comes before a refused
// batch is committed by itself.
const asks = 4

// run is the Journal's goroutine. A sink may end it by runtime.Goexit; then another goes on where it was.
func (j *Journal) run() {
	over := false
	defer func() {
		if !over {
			go j.run()
			return
		}
		j.cancel(ErrJournalClosed)
		close(j.gone)
	}()
	w := &j.writer
	if w.calling {
		w.calling, w.silent = false, true
		err := j.fail(errors.New("a method of the log has ended the goroutine"), true)
		if w.made == nil {
			j.answer(len(w.batches), nil, err)
		}
	}
	if !w.begun && j.Err() == nil {
		_ = j.begin() // asked again when it matters
	}
	for len(w.batches) > 0 || j.take() {
		batches := len(w.batches)
		j.commit()
		j.gather(batches)
	}
	over = true
}

// gather lets those run who have just got their answers, of so many batches: they may append again at once. Or they would be a group,
// and those who came meanwhile another, by turns, each of half the size. It goes on as long as that brings more, waits
// for nobody, and is not done for who appends alone.
func (j *Journal) gather(batches int) {
	for was := -1; batches > 1; batches-- {
		runtime.Gosched()
		j.mu.Lock()
		now := j.line.batches
		j.mu.Unlock()
		if now <= was {
			return
		}
		was = now
	}
}

// begin asks what is next in the Log.
func (j *Journal) begin() error {
	b, err := j.bounds()
	if err == nil {
		j.writer.next, j.writer.begun = b.Next, true
	}
	return err
}

func (j *Journal) bounds() (Bounds, error) {
	j.writer.calling = true
	b, err := j.log.Bounds(j.ctx)
	j.writer.calling = false
	return b, err
}

// take waits for batches and makes them the group; false where there will be none.
func (j *Journal) take() bool {
	j.mu.Lock()
	for j.line.first == nil {
		over := j.closing || j.failed != nil
		j.mu.Unlock()
		if over {
			return false
		}
		<-j.wake
		j.mu.Lock()
	}
	w := &j.writer
	w.batches = w.group[:0]
	bytes := 0
	for p := j.line.first; p != nil; p = j.line.first {
		if len(w.batches) > 0 && (max(len(w.buffer)+p.n, len(w.batches)+1) > j.o.MaxGroup || bytes+p.bytes > j.o.MaxGroupBytes) {
			break
		}
		j.line.remove(p)
		// Copied under the mutex: when its appender leaves it under way, the Drafts are the appender's again.
		w.buffer = append(w.buffer, p.ds...)
		w.batches = append(w.batches, p)
		bytes += p.bytes
		p.state, p.ds = underWay, nil
	}
	w.group = w.batches
	j.stats.UnderWay = len(w.buffer)
	j.mu.Unlock()
	for i := range w.buffer {
		if w.buffer[i].EventID == (core.ID{}) {
			w.buffer[i].EventID = NewID() // so that the group can be appended again
		}
	}
	w.drafts = w.buffer
	return true
}

// commit has the group appended, what the Log takes of it, and sees that everybody has an answer.
func (j *Journal) commit() {
	w := &j.writer
	if w.made != nil { // a sink has ended the goroutine that was at it
		j.handOn()
	}
	upto, looked := len(w.batches), 0
	for len(w.batches) > 0 {
		n := len(w.drafts)
		for _, p := range w.batches[upto:] {
			n -= p.n
		}
		made, err := j.append(w.drafts[:n])
		if err == nil {
			w.made, w.at, w.of = made, 0, upto
			j.handOn()
			upto, looked = len(w.batches), 0
			continue
		}
		if bad, at, refusal := j.blame(err, upto); refusal != nil {
			j.refuse(bad, at, refusal)
			// Without it the others may be taken. But not for ever: where many are refused behind many that are not, the Log
			// looks at those again and again. From some number on they are committed before the next is tried.
			if looked += at; looked > asks*len(w.drafts) && bad > 0 {
				upto = bad
			} else {
				upto = min(max(upto-1, 1), len(w.batches))
			}
			continue
		}
		if limit := (*LimitError)(nil); errors.As(err, &limit) && upto > 1 && !errors.Is(err, ErrUnknown) {
			upto /= 2
			continue
		}
		j.answer(upto, nil, err)
		upto = len(w.batches)
	}
	clear(w.buffer)
	w.buffer = w.buffer[:0]
	if cap(w.buffer) > 2*j.o.MaxGroup { // one batch was larger than that
		w.buffer = nil
	}
}

// blame finds the batch of the first upto that err is about: its place, that of its first Draft, and what to tell its
// appender; nil where it is about none.
func (j *Journal) blame(err error, upto int) (bad, at int, refusal error) {
	fault, ok := errors.AsType[*DraftError](err)
	if !ok || errors.Is(err, ErrUnknown) || fault.Index < 0 {
		return 0, 0, nil
	}
	for i, p := range j.writer.batches[:upto] {
		if fault.Index < at+p.n {
			return i, at, &DraftError{Index: fault.Index - at, Err: fault.Err}
		}
		at += p.n
	}
	return 0, 0, nil
}

// refuse answers one batch, whose Drafts begin at at, and takes it out of the group.
func (j *Journal) refuse(bad, at int, err error) {
	w := &j.writer
	p := w.batches[bad]
	// What lies before is moved: no more than the Log has looked at.
	copy(w.drafts[p.n:at+p.n], w.drafts[:at])
	copy(w.batches[1:bad+1], w.batches[:bad])
	w.drop(1, p.n)
	j.mu.Lock()
	p.state, p.err = settled, err
	j.stats.Refused++
	j.stats.UnderWay -= p.n
	j.mu.Unlock()
	tell([]*pending{p})
}

// drop takes so many batches and Drafts from the beginning.
func (w *writer) drop(batches, drafts int) {
	clear(w.batches[:batches])
	w.batches, w.drafts = w.batches[batches:], w.drafts[drafts:]
}

// append has the Log append ds, again and again where it can't tell, until it is known or the Journal gives up: then the error
// is an *UnknownError.
func (j *Journal) append(ds []Draft) ([]core.Envelope, error) {
	if err := j.Err(); err != nil { // what came before has failed
		return nil, err
	}
	if !j.writer.begun {
		if err := j.begin(); err != nil {
			return nil, j.judge(err, false)
		}
	}
	first := time.Now()
	doubt := error(nil)
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		made, err := j.ask(ds, doubt != nil)
		switch {
		case err == nil && len(made) == len(ds):
			return made, nil
		case err == nil:
			return nil, j.fail(fmt.Errorf("it has answered %d of %d drafts", len(made), len(ds)), true)
		case final(err):
			return nil, j.judge(err, doubt != nil || errors.Is(err, ErrUnknown))
		case errors.Is(err, ErrUnknown):
			doubt = err
		case doubt == nil:
			return nil, j.judge(err, false)
		case errors.Is(err, errForgotten), errors.Is(err, ErrCorrupt):
			return nil, doubt
		case errors.Is(err, ErrLimit), isDraft(err): // it has looked at them: they aren't there
			return nil, err
		}
		// Recognized as a repeat it is, for so long: see Limits.
		if window := j.limits.RepeatsFor; window > 0 && time.Since(first)+pause > window/2 || !j.pause(pause) {
			return nil, doubt
		}
	}
}

var errForgotten = errors.New("the log may not recognize it")

// ask has the Log append ds once; where that is again, only as long as it knows them, if they are there: they are not below
// the next event that is to be broadcast.
func (j *Journal) ask(ds []Draft, again bool) ([]core.Envelope, error) {
	w := &j.writer
	if again {
		b, err := j.bounds()
		if err != nil {
			return nil, err
		}
		if most := uint64(j.limits.Repeats); b.First > w.next || most > 0 && max(b.Next-w.next, uint64(len(ds))) > most {
			return nil, errForgotten
		}
		j.mu.Lock()
		j.stats.Retries++
		j.mu.Unlock()
	}
	asked := time.Now()
	w.calling = true
	made, err := j.log.Append(j.ctx, ds)
	w.calling = false
	j.mu.Lock()
	j.stats.Commit.Observe(uint64(time.Since(asked)))
	j.mu.Unlock()
	return made, err
}

func isDraft(err error) bool {
	_, ok := errors.AsType[*DraftError](err)
	return ok
}

// final tells whether the Log will never append again.
func final(err error) bool { return errors.Is(err, ErrFailed) || errors.Is(err, ErrClosed) }

// judge returns what to tell a group for err, which may be the end of the Journal, or Close's doing.
func (j *Journal) judge(err error, unknown bool) error {
	if final(err) {
		return j.fail(err, unknown)
	}
	return err
}

// fail is the end of the Journal: append refuses all that are queued. It returns what to tell those of the group.
func (j *Journal) fail(cause error, unknown bool) error {
	if doubt, ok := errors.AsType[*UnknownError](cause); ok { // those who are queued know
		cause = doubt.Err
	}
	err := fmt.Errorf("%w: %w", ErrJournalFailed, cause)
	j.mu.Lock()
	if j.failed == nil {
		j.failed = err
	}
	j.mu.Unlock()
	if unknown {
		return &UnknownError{Err: err}
	}
	return err
}

// pause waits before something is tried again; false where that is not to be.
func (j *Journal) pause(d time.Duration) bool {
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-j.ctx.Done():
		return false
	}
}

type counts struct{ repeats, foreign, skipped uint64 }
