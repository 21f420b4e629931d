package cursor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// A journalModel is a Journal over a Log that is told, call by call, what to do, beside what must come of it: each batch that is
// asked for has one outcome, and what is broadcast is the beginning of the Log.
type journalModel struct {
	t       testing.TB
	journal *cursor.Journal
	log     *memlog.Log
	let     chan verdict // for the call under way
	sink    heard
	asked   []*asked
	failed  bool
	closing bool
}

// An asked is a batch, with whoever waits for it.
type asked struct {
	ds     []cursor.Draft
	leave  context.CancelCauseFunc
	left   bool
	future *cursor.Future // nil: an Append
	over   bool
	made   []core.Envelope
	err    error
}

// A verdict is what a call of Append is to do.
type verdict uint8

const (
	appends      verdict = iota
	doubts               // it appends, and can't tell
	doubtsNot            // it doesn't, and can't tell
	refuses              // for a reason that passes
	fails                // for good, with the outcome unknown
	failsHaving          // the same; it was appended
	knowinglyNot         // for good, and it says that nothing was appended
)

var errPassing = errors.New("not this time")

// TestJournalAgainstSlice: whatever the Log does, and whoever leaves, appends again, in conflict or beside the Journal: no batch is
// without an answer, no answer is wrong, and subscribers get the Log.
func TestJournalAgainstSlice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { rapid.SyncTest(rt, func(rt *rapid.T) { journalAgainstSlice(t, rt) }) })
}

func journalAgainstSlice(t *testing.T, rt *rapid.T) {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point, SingleWriter: true})
	defer func() { _ = f.Close() }()
	m := &journalModel{t: t, log: log, let: make(chan verdict)}
	subscribe(t, f, &m.sink)
	m.journal = cursor.NewJournal(wrapped{Log: log, append: m.append}, f, cursor.JournalOptions{
		MaxGroup:  rapid.IntRange(1, 12).Draw(rt, "max group"),
		MaxQueued: rapid.IntRange(1, 12).Draw(rt, "max queued"),
	})
	defer func() {
		close(m.let) // from here on it appends
		_ = m.journal.Close(context.Background())
		m.end(rt)
	}()
	rt.Repeat(map[string]func(*rapid.T){
		"":         m.check,
		"append":   m.ask,
		"append 2": m.ask,
		"let":      m.proceed,
		"let 2":    m.proceed,
		"leave":    m.leave,
		"foreign":  m.foreign,
		"close": func(rt *rapid.T) {
			if m.closing || rapid.IntRange(0, 9).Draw(rt, "really") > 0 {
				return
			}
			m.closing = true
			go func() { _ = m.journal.Close(context.Background()) }()
		},
	})
}

func (m *journalModel) append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	v := <-m.let
	if v == appends || v == doubts || v == failsHaving {
		made, err := m.log.Append(ctx, ds)
		if v == appends || err != nil {
			return made, err
		}
	}
	m.failed = m.failed || v >= fails
	switch v {
	case refuses:
		return nil, errPassing
	case fails, failsHaving:
		return nil, &cursor.UnknownError{Err: errSync}
	case knowinglyNot:
		return nil, errSync
	}
	return nil, &cursor.UnknownError{Err: errLeft}
}

func (m *journalModel) draft(rt *rapid.T) cursor.Draft {
	d := about(m.t, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "entity"))[0]
	switch rapid.IntRange(0, 5).Draw(rt, "sort") {
	case 0:
		d.Expect = cursor.ExpectClock(rapid.Uint32Range(0, 4).Draw(rt, "clock"))
	case 1:
		d = about(m.t, "a")[0]
		d.EventID = core.ID{1, rapid.ByteRange(0, 2).Draw(rt, "id")}
	}
	return d
}

func (m *journalModel) ask(rt *rapid.T) {
	a := new(asked)
	for range rapid.IntRange(0, 4).Draw(rt, "drafts") {
		a.ds = append(a.ds, m.draft(rt))
	}
	var ctx context.Context
	ctx, a.leave = context.WithCancelCause(context.Background())
	m.asked = append(m.asked, a)
	if rapid.Bool().Draw(rt, "async") {
		if a.future, a.err = m.journal.AppendAsync(ctx, a.ds); a.future == nil {
			a.over = true
			return
		}
	}
	go func() {
		if a.future != nil {
			a.made, a.err = a.future.Wait(context.Background())
		} else {
			a.made, a.err = m.journal.Append(ctx, slices.Clone(a.ds))
		}
		a.over = true
	}()
}

func (m *journalModel) proceed(rt *rapid.T) {
	v := rapid.SampledFrom([]verdict{appends, appends, appends, doubts, doubtsNot, refuses, fails, failsHaving, knowinglyNot}).Draw(rt, "verdict")
	if v >= fails && rapid.IntRange(0, 5).Draw(rt, "really") > 0 {
		v = appends
	}
	time.Sleep(2 * time.Second) // in the bubble: it tries again now, where it does
	synctest.Wait()
	select {
	case m.let <- v:
	default: // it doesn't ask
	}
}

func (m *journalModel) leave(rt *rapid.T) {
	if len(m.asked) > 0 {
		a := m.asked[rapid.IntRange(0, len(m.asked)-1).Draw(rt, "who")]
		a.left = true
		a.leave(errLeft)
	}
}

func (m *journalModel) foreign(rt *rapid.T) {
	_, _ = m.log.Append(context.Background(), []cursor.Draft{m.draft(rt)})
}

// check is run after each step, when nothing moves by itself any more.
func (m *journalModel) check(rt *rapid.T) {
	synctest.Wait()
	kept, told := contents(m.t, m.log), m.sink.envelopes()
	if len(told) > len(kept) || !sameEvents(told, kept[:len(told)]) {
		rt.Fatalf("the log has %v, broadcast %v", kept, told)
	}
	for _, a := range m.asked {
		if a.over {
			m.judge(rt, a, kept, len(told))
		}
	}
}

func (m *journalModel) judge(rt *rapid.T, a *asked, kept []core.Envelope, told int) {
	switch {
	case a.err == nil:
		if len(a.made) != len(a.ds) {
			rt.Fatalf("%d answers to %d drafts", len(a.made), len(a.ds))
		}
		for i, e := range a.made {
			d := a.ds[i]
			d.EventID = e.EventID
			if e.Sequence >= uint64(told) || kept[e.Sequence].Notification != e.Notification || !d.Made(&e) {
				rt.Fatalf("answered %v, which is not what was broadcast", e)
			}
			if i > 0 && a.ds[i].EventID == (core.ID{}) && a.ds[i-1].EventID == (core.ID{}) && e.Sequence != a.made[i-1].Sequence+1 {
				rt.Fatalf("a batch is torn: %s", sequences(a.made))
			}
		}
	case errors.Is(a.err, cursor.ErrUnknown):
		if !a.left && !m.failed {
			rt.Fatalf("unknown for no reason: %v", a.err)
		}
	case errors.Is(a.err, errLeft):
		if !a.left {
			rt.Fatalf("has not left: %v", a.err)
		}
	case errors.Is(a.err, cursor.ErrJournalFailed):
		if !m.failed || !errors.Is(a.err, cursor.ErrFailed) {
			rt.Fatalf("the log has not failed: %v", a.err)
		}
	case errors.Is(a.err, cursor.ErrJournalClosed):
		if !m.closing {
			rt.Fatalf("it is not closed: %v", a.err)
		}
	case errors.Is(a.err, errPassing), errors.Is(a.err, cursor.ErrJournalFull):
	default:
		fault, ok := errors.AsType[*cursor.DraftError](a.err)
		if !ok || fault.Index >= len(a.ds) || a.ds[fault.Index].Expect == (cursor.Expect{}) || !errors.Is(a.err, cursor.ErrConflict) {
			rt.Fatalf("%v, of %v", a.err, a.ds)
		}
	}
}

// end sees that everybody has an answer, once the Journal is closed.
func (m *journalModel) end(rt *rapid.T) {
	m.check(rt)
	for i, a := range m.asked {
		if !a.over {
			rt.Fatalf("batch %d has no answer", i)
		}
		a.leave(nil)
	}
	if err := m.journal.Err(); (err != nil) != m.failed {
		rt.Fatalf("Err() = %v; failed: %v", err, m.failed)
	}
}
