package disklog

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// A walker finds events. It is used by one goroutine, and keeps a block of the engine's until it is moved.
type walker struct {
	log  *Log
	iter *pebble.Iterator
	b    block.Block
	at   uint64 // the sequence of the record that rest begins with
	rest []byte
	used uint64 // bytes of payloads in the block before rest
}

// walk returns a walker that stands nowhere. It sees what is there now.
func (l *Log) walk() (*walker, error) {
	w := &walker{log: l}
	err := guarded(func() (err error) {
		w.iter, err = l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableLog}, UpperBound: []byte{tableLog + 1}})
		return err
	})
	if err != nil {
		return nil, l.damaged("the blocks", err)
	}
	return w, nil
}

func (w *walker) close() { _ = guarded(w.iter.Close) } // what it would say was said where it was read

// record returns the bytes of an event, which are good until the next call.
func (w *walker) record(seq uint64) (record block.Record, err error) {
	if err := w.to(seq); err != nil {
		return nil, err
	}
	record, rest, err := block.Next(w.rest)
	if err != nil {
		return nil, w.log.corrupt(placeOf(seq), err)
	}
	w.at, w.rest = w.at+1, rest
	w.used += record.PayloadSize()
	return record, nil
}

// to has rest begin with the record of an event.
func (w *walker) to(seq uint64) error {
	if w.b.Count == 0 || seq >= w.b.End() || seq < w.b.First {
		if err := w.load(seq); err != nil {
			return err
		}
	}
	if seq < w.at {
		w.at, w.rest, w.used = w.b.First, w.b.Records, 0
	}
	for w.at < seq {
		record, rest, err := block.Next(w.rest)
		if err != nil {
			return w.log.corrupt(placeOf(w.at), err)
		}
		w.at, w.rest = w.at+1, rest
		w.used += record.PayloadSize()
	}
	return nil
}

// load reads the block that an event is in.
func (w *walker) load(seq uint64) error {
	var found bool
	var value []byte
	err := guarded(func() (err error) {
		if w.b.Count > 0 && seq == w.b.End() && w.iter.Next() && w.iter.Key()[9] == block.Row {
			found = true
		} else { // there are rows of a segment between
			found = w.iter.SeekLT(keyOf(block.Row+1, seq))
		}
		if !found {
			return w.iter.Error()
		}
		value, err = w.iter.ValueAndErr()
		return err
	})
	w.b = block.Block{}
	if err != nil {
		return w.log.damaged(placeOf(seq), err)
	}
	if !found {
		return w.log.corrupt(placeOf(seq), errMissing)
	}
	b, err := block.Open(w.log.id, w.iter.Key(), value)
	if err != nil {
		return w.log.corrupt(placeOf(seq), err)
	}
	if seq < b.First || seq >= b.End() {
		return w.log.corrupt(placeOf(seq), errMissing)
	}
	w.b, w.at, w.rest, w.used = b, b.First, b.Records, 0
	return nil
}

// envelope returns an event, with memory of its own.
func (w *walker) envelope(seq uint64) (e core.Envelope, err error) {
	record, err := w.record(seq)
	if err != nil {
		return e, err
	}
	payload, err := record.Decode(&e, seq, &w.log.names)
	if err != nil {
		return e, w.log.corrupt(placeOf(seq), err)
	}
	if len(payload) > 0 {
		e.Payload = append([]byte(nil), payload...)
	}
	return e, nil
}

// one returns the event of a sequence that is kept. The turn is taken.
func (l *Log) one(seq uint64) (core.Envelope, error) {
	w, err := l.walk()
	if err != nil {
		return core.Envelope{}, err
	}
	defer w.close()
	return w.envelope(seq)
}
