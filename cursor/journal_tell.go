package cursor

import (
	"errors"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// pageSize is how many events of others are read at once.
const pageSize = 256

// handOn broadcasts what the Log has answered, and then tells the appenders. In this order: who has an answer and then subscribes
// is not offered it again, whoever is subscribed already has it, and the answers may be the appenders' own. A
// broadcast waits for nobody, so that it takes little of their time.
//
// It goes on where a sink has ended the goroutine: w.at and w.next are moved before each broadcast.
func (j *Journal) handOn() {
	w := &j.writer
	for w.at < len(w.made) && !w.silent {
		e := &w.made[w.at]
		if e.Sequence > w.next && !j.fill(e.Sequence) {
			w.silent = true
			break
		}
		w.at++
		if e.Sequence < w.next { // a repeat; or a part of what fill has just broadcast
			w.counts.repeats++
			continue
		}
		w.next++
		j.broadcast(e)
	}
	j.answer(w.of, w.made, nil)
	w.made = nil
}

// broadcast broadcasts one event. If Config.Locate panics that is no reason to keep the others from it. If somebody else broadcasts on
// a fan-out of one writer it is: nobody knows who has got the event.
func (j *Journal) broadcast(e *core.Envelope) {
	if j.fanout == nil {
		return
	}
	defer func() {
		switch value := recover().(type) {
		case nil:
		case *core.MisuseError:
			j.writer.silent = true
			_ = j.fail(value, false)
		default:
			j.mu.Lock()
			j.stats.Panics++
			j.mu.Unlock()
		}
	}()
	j.fanout.Broadcast(*e)
}

// fill broadcasts what is in the Log before upto: others have appended it, or it is the Journal's own and nobody knew. It
// returns false where that can't be had, and will not be.
func (j *Journal) fill(upto uint64) bool {
	w := &j.writer
	if j.fanout == nil {
		w.counts.foreign += upto - w.next
		w.next = upto
		return true
	}
	if w.page == nil {
		w.page = make([]core.Envelope, pageSize)
	}
	for pause := leastPause; w.next < upto; {
		room := w.page[:min(uint64(len(w.page)), upto-w.next)]
		w.calling = true
		n, _, err := j.log.Read(j.ctx, region.Region{}, w.next, room)
		w.calling = false
		for i := 0; i < n && !w.silent; i++ {
			w.next++
			w.counts.foreign++
			j.broadcast(&room[i])
		}
		clear(room)
		switch compacted := (*CompactedError)(nil); {
		case w.silent:
			return false
		case errors.As(err, &compacted):
			first := min(compacted.First, upto)
			w.counts.foreign += first - w.next
			w.counts.skipped += first - w.next
			w.next = first
		case err != nil && (final(err) || errors.Is(err, ErrCorrupt)):
			_ = j.fail(err, false) // or nobody would know why nothing is broadcast any more
			return false
		case err != nil || n == 0: // or where it reads from another node than it appends to
			if !j.pause(pause) {
				return false
			}
			pause = min(2*pause, mostPause)
		}
	}
	return true
}

// answer answers the first batches: with their part of made, or with err.
func (j *Journal) answer(batches int, made []core.Envelope, err error) {
	w := &j.writer
	w.told = append(w.told[:0], w.batches[:batches]...)
	now, drafts := time.Now(), 0
	j.mu.Lock()
	s := &j.stats
	for _, p := range w.told {
		p.state, p.err = settled, err
		if err == nil {
			p.made = made[drafts : drafts+p.n : drafts+p.n]
			s.Latency.Observe(uint64(max(0, now.Sub(p.since))))
		}
		drafts += p.n
	}
	s.UnderWay -= drafts
	switch {
	case err == nil:
		s.Group.Observe(uint64(drafts))
		s.Batches += uint64(batches)
		s.Appended += uint64(drafts) - w.counts.repeats
	case errors.Is(err, ErrUnknown):
		s.Unknown += uint64(batches)
	default:
		s.Refused += uint64(batches)
	}
	s.Repeats += w.counts.repeats
	s.Foreign += w.counts.foreign
	s.Skipped += w.counts.skipped
	w.counts = counts{}
	j.mu.Unlock()
	w.drop(batches, drafts)
	tell(w.told)
	clear(w.told)
}
