package disklog

import (
	"encoding/binary"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// segmentEvents is how many events a segment has at least. One more batch may be in it.
const segmentEvents = 1 << 13

// A segment's row says where it begins; its key says where it ends.
func segmentRow(id [16]byte, s segment) (key, value []byte) {
	key = keyOf(ofSegment, s.end-1)
	return key, block.Seal(id, key, binary.BigEndian.AppendUint64([]byte{block.Version}, s.first))
}

func idsRow(id [16]byte, s segment, ids []core.ID) (key, value []byte) {
	key = keyOf(ofIDs, s.end-1)
	value = make([]byte, 0, len(ids)*16+block.SumSize)
	for i := range ids {
		value = append(value, ids[i][:]...)
	}
	return key, block.Seal(id, key, value)
}

func listRow(id [16]byte, s segment, of term, ats []uint32) (key, value []byte) {
	key = indexKey(s, of)
	return key, block.Seal(id, key, encodeList(make([]byte, 0, 2*len(ats)+block.SumSize), ats))
}

// sealTail makes a segment of the tail: its lists, its ids and its entities' clocks go to the disk in one batch, and if
// that is lost they are made again from the events. The turn is taken. An error is the gate's, and has been noted there.
func (l *Log) sealTail() {
	t := l.s.tail
	s := segment{t.base, t.base + uint64(t.count)}
	b := l.db.NewBatch()
	set := func(key, value []byte) { _ = b.Set(key, value, nil) } // of a batch, it cannot fail
	set(segmentRow(l.id, s))
	set(idsRow(l.id, s, t.ids))
	for of, list := range t.lists {
		set(listRow(l.id, s, of, list.at))
	}
	for _, in := range t.of {
		key := clockKey(in.coordinate)
		set(key, block.Seal(l.id, key, binary.BigEndian.AppendUint32(make([]byte, 0, 4+block.SumSize), in.clock)))
	}
	m := l.w.meta
	m.sealed, m.entities, m.bytes, m.sum = s.end, l.s.entities, l.s.bytes, l.w.sum
	m.wallMS, m.counter = l.w.wallMS, l.w.counter
	set(metaKey, m.encode(l.id))
	if err := l.commit(b, false); err != nil {
		return
	}
	l.w.meta = m
	t.leave()
	if len(l.w.entities) > mostEntities {
		clear(l.w.entities)
	}
	l.mu.Lock()
	l.s.segments = append(l.s.segments, s)
	l.s.sealed, l.s.tail = s.end, newTail(s.end, t)
	l.mu.Unlock()
}

// mostEntities is how many entities are kept in memory beyond those of the tail.
const mostEntities = 1 << 16

// clockOf returns what the last clock of an entity that is not in the tail is; 0 for one that is not known.
func (l *Log) clockOf(key []byte) (clock uint32, err error) {
	err = l.row(key, "the clock of an entity", func(body []byte) error {
		if len(body) != 4 {
			return block.ErrContents
		}
		clock = binary.BigEndian.Uint32(body)
		return nil
	})
	if isNotFound(err) {
		return 0, nil
	}
	return clock, err
}
