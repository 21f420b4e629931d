package cursor

import (
	"context"
	"errors"

	"github.com/spillwayhq/spillway/core"
)

// step goes for events: it fills held, sets mark, changes what the Follower does, or waits. What it had is handed out.
func (f *Follower) step(ctx context.Context) error {
	if err := f.Err(); err != nil {
		return err
	}
	if f.last != nil {
		return f.end(f.last)
	}
	f.waits.under(ctx)
	switch {
	case f.cur == nil:
		return f.begin()
	case f.in.feed == nil:
		return f.catchUp()
	case f.unbounded:
		return f.bound()
	case f.cur.next < f.boundary:
		return f.pull()
	}
	return f.live()
}

// begin finds the place to begin at.
func (f *Follower) begin() error {
	f.id = f.log.ID()
	cur, err := Open(f.waits.call, f.log, f.region, f.options.From)
	if replaced := f.replaced(); replaced != nil {
		return f.fail(replaced)
	}
	if err != nil {
		if regionErr := f.region.Validate(); regionErr != nil {
			return f.end(err)
		}
		return f.fail(err)
	}
	f.cur, f.said = cur, cur.next
	f.show(CatchingUp)
	return nil
}

// catchUp reads the Log, and subscribes when its end is near.
func (f *Follower) catchUp() error {
	if f.full > 0 && f.full < looksEvery { // it is not near
		return f.pull()
	}
	f.full = 0
	lag, err := f.lag()
	switch {
	case err != nil:
		return f.fail(err)
	case f.fell:
		f.mark = Mark{Kind: FellBehind, Place: f.cur.next, Behind: lag}
		f.fell, f.behind, f.aim = false, true, f.cur.next+lag
		return nil
	case f.near(lag) && (lag > f.flapping.bound() || f.shut || f.flapping.rests > 0):
		f.caughtUp() // or never, where events come as fast as it reads and it may not subscribe
		return nil
	case lag > f.flapping.bound():
		return f.pull()
	case f.shut || f.flapping.rests > 0:
		return f.rest(lag)
	}
	return f.join()
}

// near tells whether the Follower has read, by pull, up to where it saw the Log's end before, and that is where the end still is, but for a little.
// Its end itself it may never find: others append meanwhile.
func (f *Follower) near(lag uint64) bool {
	if !f.behind || f.cur.next < f.aim {
		return false
	}
	reached := f.aim > 0
	f.aim = f.cur.next + lag
	return reached && lag > 0 && lag <= widest
}

// caughtUp says so where there is no feed. From here on whatever is compacted is missed.
func (f *Follower) caughtUp() {
	f.mark = Mark{Kind: CaughtUp, Place: f.cur.next}
	f.behind, f.cur.oldest, f.aim = false, false, 0
}

// looksEvery is after how many full reads the Follower asks for the Log's end: where that is far, each would be for nothing.
const looksEvery = 8

// replaced returns what to say where the Log is another by now. It is asked after the Log was, whatever that answered: before, it says nothing of
// what comes.
func (f *Follower) replaced() error {
	if id := f.log.ID(); id != f.id {
		return &ReplacedError{Was: f.id, Is: id}
	}
	return nil
}

// lag returns how far the Log's end is.
func (f *Follower) lag() (uint64, error) {
	b, err := f.log.Bounds(f.waits.call)
	if replaced := f.replaced(); replaced != nil {
		return 0, replaced
	}
	if err != nil {
		return 0, err
	}
	if b.Next < f.cur.next {
		return 0, &BeyondError{From: f.cur.next, Next: b.Next}
	}
	return b.Next - f.cur.next, nil
}

// pull reads from the Log once.
func (f *Follower) pull() error {
	f.showPlace()
	dst, from := f.room(), f.cur.next
	n, next, err := f.read(dst)
	if err != nil {
		return f.pullFailed(err)
	}
	f.held, f.cur.next, f.pulled = dst[:n], next, next
	f.from = &f.figures.Pulled
	f.since += uint64(n)
	f.figures.Pulled += uint64(n)
	if n == len(dst) {
		f.full++
		return nil
	}
	f.full = 0
	if moved := next > from; !moved && next < f.boundary {
		return f.end(&BeyondError{From: f.boundary, Next: next}) // it has lost its end, or never had what was broadcast
	}
	if n == 0 && f.waits.late() {
		f.quiet = true
	}
	if f.quiet && f.in.feed == nil {
		f.progress()
	}
	return nil
}

// room returns where to read to: more when the last read filled it.
func (f *Follower) room() []core.Envelope {
	switch {
	case len(f.buf) < leastPull:
		f.buf = make([]core.Envelope, leastPull)
	case f.full > 0 && len(f.buf) < mostPull:
		f.buf = make([]core.Envelope, min(2*len(f.buf), mostPull))
	}
	return f.buf
}

// read is Log.Read, in turn with the others who share it.
func (f *Follower) read(dst []core.Envelope) (n int, next uint64, err error) {
	if err := f.options.Reads.enter(f.waits.call); err != nil {
		return 0, f.cur.next, err
	}
	defer f.options.Reads.leave()
	place := f.cur.next
	n, next, err = f.cur.read(f.waits.call, dst)
	if replaced := f.replaced(); replaced != nil {
		clear(dst[:n])
		f.cur.next = place
		return 0, place, replaced
	}
	return n, next, err
}

// pullFailed tells a loss from what only looks like one. Retention may have passed a place though all events of the Region
// below a later one were handed out: those of others were in between.
func (f *Follower) pullFailed(err error) error {
	compacted, ok := errors.AsType[*CompactedError](err)
	switch {
	case ok && f.missed > f.cur.next && f.missed >= compacted.First:
		f.cur.next = f.missed // all below was pushed
		return nil
	case ok && f.joined && !f.hole:
		f.boundary = 0 // what it looked for comes by the feed, if it is there at all
		return nil
	}
	return f.fail(err)
}

// rest waits at the Log's end without a feed: where there is none to be had, or it was too small for what came.
func (f *Follower) rest(lag uint64) error {
	if lag > 0 {
		return f.pull()
	}
	if f.behind {
		f.caughtUp()
		return nil
	}
	f.showPlace()
	if len(f.buf) > mostLive {
		f.buf = nil // the next read finds little
	}
	f.flapping.rested(f.cur.next)
	err := f.log.Wait(f.waits.quiet(), f.cur.next)
	switch {
	case err == nil:
		return nil
	case f.waits.ticked():
		if f.since == 0 {
			f.flapping.rests = 0 // there is no better time
		}
		f.progress()
		return nil
	}
	if replaced := f.replaced(); replaced != nil { // closed, as whoever puts another in its place closes it
		return f.fail(replaced)
	}
	return f.fail(err)
}

// progress says how far the Follower has come, where no event did.
func (f *Follower) progress() {
	if f.since == 0 && f.cur.next > f.said {
		f.mark = Mark{Kind: Progress, Place: f.cur.next}
	}
	f.quiet, f.since, f.said = false, 0, f.cur.next
}
