package fuzz_test

import (
	"context"
	"math"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// FuzzLogRead reads bytes as events, four bytes each, that a small memlog is given, and as a region: a Cursor over what it has kept
// finds what a scan of that finds.
func FuzzLogRead(f *testing.F) {
	f.Add(uint8(9), uint8(0), []byte{})
	f.Add(uint8(3), uint8(0x15), []byte("\x00\x00\x00\x00\x01\x11\x01\x00\x02\x22\x02\x01\x03\x01\x00\x00"))
	f.Add(uint8(200), uint8(0xff), []byte("\x04\x01\x03\x00\x05\x02\x01\x00\x04\x01\x03\x00\x04\x01\x03\x00\x04\x01\x03\x00"))
	names := []string{"a", "a:b", "a:b:c", "ab", "b", "b:a"}
	scopes := []string{"shop", "bank"}
	kinds := []region.Kind{0x1000, 0x1001, 0x2001, 0x000f}
	f.Fuzz(func(t *testing.T, capacity, asks uint8, events []byte) {
		log, err := memlog.New(memlog.Options{MaxEvents: 1 + int(capacity)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = log.Close() }()
		ctx := context.Background()
		var all []core.Envelope
		for len(events) >= 4 {
			b := events[:4]
			events = events[4:]
			c, err := region.NewCoordinate(names[int(b[0])%len(names)], scopes[b[1]%2])
			if err != nil {
				t.Fatal(err)
			}
			made, err := log.Append(ctx, []cursor.Draft{{Coordinate: c, Kind: kinds[b[2]%4], Lane: uint32(b[3] % 3)}})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, made...)
		}
		var r region.Region
		if asks&1 != 0 {
			r.Entity = names[int(asks>>4)%len(names)]
		}
		if asks&2 != 0 {
			r.Scope = scopes[asks>>4&1]
		}
		switch asks >> 2 & 3 {
		case 1:
			r.Kind = region.OneKind(kinds[asks>>5&3])
		case 2:
			r.Kind = region.InCategory(asks >> 6)
		case 3:
			r.Lane = region.OneLane(uint32(asks >> 6))
			r.Clock = region.Clocks(uint32(asks>>5), math.MaxUint32)
		}
		c, err := cursor.Open(ctx, log, r, cursor.FromStart())
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]core.Envelope, 3)
		for _, e := range all[c.Place():] {
			if !r.Match(e.Point()) || !r.Clock.Match(e.Position.Sequence) {
				continue
			}
			n, err := c.Poll(ctx, dst[:1])
			if n != 1 || err != nil || dst[0].Notification != e.Notification {
				t.Fatalf("%s: %d, %v, %+v; want %+v", r, n, err, dst[0], e)
			}
		}
		if n, err := c.Poll(ctx, dst); n != 0 || err != nil || c.Place() != uint64(len(all)) {
			t.Fatalf("%s: %d more, %v, at %d of %d", r, n, err, c.Place(), len(all))
		}
	})
}
