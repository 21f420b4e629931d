package main

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/core"
)

// An eventHash is the count and the hash of a history, as docs/formats/event-hash.md draws it. It comes from newEventHash.
type eventHash struct {
	count  uint64
	digest *xxhash.Digest
	buf    []byte
}

func newEventHash() *eventHash { return &eventHash{digest: xxhash.New()} }

// hashOf returns that of events.
func hashOf(events []*core.Envelope) *eventHash {
	h := newEventHash()
	for _, e := range events {
		h.add(e)
	}
	return h
}

// add adds the next event.
func (h *eventHash) add(e *core.Envelope) {
	h.buf = appendEvent(h.buf[:0], e)
	_, _ = h.digest.Write(h.buf)     // a Digest's
	_, _ = h.digest.Write(e.Payload) // never fails
	h.count++
}

// appendEvent appends what is hashed of an event, but for the payload, which comes last.
func appendEvent(b []byte, e *core.Envelope) []byte {
	b = append(b, e.EventID[:]...)
	b = appendText(b, e.Coordinate.Entity())
	b = appendText(b, e.Coordinate.Scope())
	b = binary.BigEndian.AppendUint16(b, uint16(e.Kind))
	b = binary.BigEndian.AppendUint32(b, e.Position.Lane)
	b = binary.BigEndian.AppendUint32(b, e.Position.Depth)
	b = binary.BigEndian.AppendUint64(b, e.Time)
	return binary.BigEndian.AppendUint32(b, uint32(len(e.Payload)))
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// String returns the hash as 16 hexadecimal digits.
func (h *eventHash) String() string { return fmt.Sprintf("%016x", h.digest.Sum64()) }
