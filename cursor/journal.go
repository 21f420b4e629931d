package cursor

import (
	"context"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A Journal is the one writer between a Log and a Fanout. Any number of goroutines append; what is queued is committed
// together, by one Append to the Log, then broadcast in the order of the Log, then acknowledged. So nothing is broadcast or
// acknowledged before the Log has it as durably as its Level says, and an appender that has its answer and then
// subscribes is not offered its own events.
//
// While one group is committed the next one queues: there is no timer, and an appender that is alone waits for nobody. An
// appender's batch stays in one piece, and batches keep the order in which they came. One that the Log refuses is
// refused alone; the others of its group are committed without it.
//
// The Fanout gets each event of the Log once and in order, from the one on that was next when the Journal began: those, too, that
// somebody else appends, as soon as an event of the Journal's comes behind them. Where retention is quicker than
// that they are not broadcast, and counted as Skipped.
//
// Sinks, and callbacks that they call at once, run on the Journal's goroutine. They may call AppendAsync, and wait for nothing that
// comes of it: Append, Future.Wait and Close would wait for themselves there. A panic of Config.Locate is recovered and
// counted; the event is in the Log all the same.
//
// A Journal comes from NewJournal, which starts its one goroutine; Close ends that and waits for it.
type Journal struct {
	log    Log
	fanout *core.Fanout[core.Envelope] // may be nil
	o      JournalOptions
	limits Limits
	spare  sync.Pool // of *pending, those of Append

	ctx    context.Context // of the calls of the Log; it is over when a Close is forced, or the writer has gone
	cancel context.CancelCauseFunc
	wake   chan struct{} // a token: the writer should look at the line again
	gone   chan struct{} // closed when the writer has gone
	writer writer        // the writer's own

	// mu is held for a few steps, or while a group's Drafts are copied; nobody waits for anything else while holding it.
	mu      sync.Mutex
	line    line // of those who wait to be committed
	closing bool // nothing more is let in
	failed  error
	stats   JournalStats // but for what the line says
}

// NewJournal returns a Journal that appends to log and broadcasts on f, which may be nil: then nothing is broadcast. It closes
// neither. Nobody else broadcasts the Log's events on f.
//
// What is next in the Log is asked for at once, on the Journal's goroutine; where that fails, those who append are
// told, and it is asked again.
func NewJournal(log Log, f *core.Fanout[core.Envelope], o JournalOptions) *Journal {
	j := &Journal{
		log: log, fanout: f, o: o.withDefaults(), limits: log.Limits(),
		wake: make(chan struct{}, 1),
		gone: make(chan struct{}),
	}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	j.spare.New = func() any { return &pending{done: make(chan struct{}, 1)} }
	if most := j.limits.Repeats; most > 0 { // a group must be recognized when it is appended again
		j.o.MaxGroup = min(j.o.MaxGroup, most)
	}
	if most := j.limits.Batch; most > 0 {
		j.o.MaxGroup = min(j.o.MaxGroup, most)
	}
	if most := j.limits.BatchBytes; most > 0 {
		j.o.MaxGroupBytes = min(j.o.MaxGroupBytes, most)
	}
	j.stats.Name, j.stats.Level = o.Name, j.Level()
	go j.run()
	return j
}

// Append adds the events of a batch, all of them or none, and returns when they are durable and broadcast. ds stays the
// caller's, but the Payloads are handed over, as those of Log.Append; so are the answers. Drafts without an EventID
// get one.
//
// An error says that nothing was added; or it is an *UnknownError. Where ctx ends while the batch is still queued it is
// taken out, and the error is ctx's cause; where it is being committed already that goes on, and the error is an
// *UnknownError. Besides it is what the Log says of the batch, a *DraftError's Index counting the Drafts of ds;
// ErrJournalClosed; or ErrJournalFailed.
func (j *Journal) Append(ctx context.Context, ds []Draft) ([]core.Envelope, error) {
	bytes, err := j.check(ctx, ds)
	if err != nil {
		return nil, err
	}
	p := j.spare.Get().(*pending)
	p.ds, p.n, p.bytes, p.since = ds, len(ds), bytes, time.Now()
	if err := j.enqueue(p); err != nil {
		return nil, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		switch j.leave(p, context.Cause(ctx)) {
		case queued:
			return nil, p.err
		case underWay:
			return nil, &UnknownError{Err: context.Cause(ctx)}
		}
		<-p.done // settled, and told at once
	}
	made, err := p.made, p.err
	*p = pending{done: p.done}
	j.spare.Put(p)
	return made, err
}

// AppendAsync is Append for who doesn't wait. It waits for nothing itself, and may be called from anywhere, a sink included.
// Where the queue has no room, which only AppendAsync needs, it is ErrJournalFull: an Append in its place waits, and
// keeps the order. ds is the Journal's until the Future is done.
//
// Where ctx ends while the batch is queued, the batch is taken out. Later it changes nothing: the Future gets the
// outcome.
func (j *Journal) AppendAsync(ctx context.Context, ds []Draft) (*Future, error) {
	bytes, err := j.check(ctx, ds)
	if err != nil {
		return nil, err
	}
	p := &pending{ds: ds, n: len(ds), bytes: bytes, since: time.Now(), done: make(chan struct{}), async: true}
	if ctx.Done() != nil {
		p.stop = context.AfterFunc(ctx, func() {
			if j.leave(p, context.Cause(ctx)) == queued {
				close(p.done)
			}
		})
	}
	if err := j.enqueue(p); err != nil {
		if p.stop != nil {
			p.stop()
		}
		return nil, err
	}
	return &Future{p}, nil
}

// check refuses what no state of the Log would take, and returns how many bytes the Payloads have.
func (j *Journal) check(ctx context.Context, ds []Draft) (bytes int, err error) {
	if err = context.Cause(ctx); err == nil {
		err = j.limits.Check(ds)
	}
	if err != nil {
		j.mu.Lock()
		j.stats.Refused++
		j.mu.Unlock()
		return 0, err
	}
	for i := range ds {
		bytes += len(ds[i].Payload)
	}
	return bytes, nil
}

// Err returns why the Journal has failed for good: ErrJournalFailed with the reason; nil while it has not.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// Close lets nothing more in, commits what is queued, and returns when everybody has an answer and the goroutine has gone. Where
// ctx ends first, what is still queued is refused, the group that is being committed is given up, with an
// *UnknownError if need be, and Close returns ctx's cause when the Log has let go. Otherwise it returns what Err
// does. It may be called again, and at once with anything else.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	j.closing = true
	j.mu.Unlock()
	j.rouse()
	select {
	case <-j.gone:
		return j.Err()
	case <-ctx.Done():
	}
	select {
	case <-j.gone: // a context that was over before takes nothing from that
		return j.Err()
	default:
	}
	j.mu.Lock()
	refused := j.line.takeAll(ErrJournalClosed)
	j.stats.Refused += uint64(len(refused))
	j.mu.Unlock()
	tell(refused)
	j.cancel(ErrJournalClosed)
	<-j.gone
	return context.Cause(ctx)
}

// rouse has the writer look at the line. A token that is there already is as good.
func (j *Journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
