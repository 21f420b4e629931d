package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

const (
	logged  = 1_000_000
	tenants = 1_000
	orders  = 10 // of a tenant
)

// cursorRows are P12 and P12s: what does it take to read a log in memory, all of it, or the part that one in a thousand events
// is in?
func cursorRows() []Row {
	return []Row{
		{
			ID: "P12", Work: "a cursor over memlog, all of 1M", Against: "range", Unit: "ns",
			Target: 3, Stretch: 1.5, Version: 1, Quick: true,
			Open: func(h Host) Sides { return openCursors(h, "range", region.Region{}, logged, Records.All) },
		},
		{
			ID: "P12s", Work: "a cursor over the one of 1,000 that a region has, of 1M", Against: "scan", Unit: "ns",
			Target: 1.0 / 100, Stretch: 1.0 / 300, Version: 1, Quick: true,
			Open: func(h Host) Sides {
				r := region.Region{Entity: tenant(7)}
				return openCursors(h, "scan", r, logged/tenants, func(rs Records) Tally { return rs.Of(r) })
			},
		},
	}
}

// openCursors returns the sides that tally the want records of r, by a cursor and by a baseline.
func openCursors(h Host, against string, r region.Region, want int, baseline func(Records) Tally) Sides {
	log, records := newLog(h)
	expect := baseline(records)
	if expect.Count != want || expect.Disorder != 0 {
		h.Fatalf("the baseline finds %+v; want %d records in order", expect, want)
	}
	var (
		c      *cursor.Cursor
		dst    = make([]core.Envelope, batch)
		got    Tally
		failed error
	)
	check := func() error {
		if failed == nil && got != expect {
			return fmt.Errorf("found %+v; want %+v", got, expect)
		}
		return failed
	}
	return Sides{
		Subject: Section{
			Name: "spillway",
			Before: func(int) (err error) {
				c, err = cursor.Open(context.Background(), log, r, cursor.FromStart())
				return err
			},
			Timed: func() int { got, failed = tallyCursor(c, dst); return want },
			After: check,
		},
		Baseline: Section{
			Name:  against,
			Timed: func() int { got, failed = baseline(records), nil; return want },
			After: check,
		},
	}
}

// tallyCursor reads what there is, through dst.
func tallyCursor(c *cursor.Cursor, dst []core.Envelope) (t Tally, err error) {
	for {
		n, err := c.Poll(context.Background(), dst)
		if n == 0 || err != nil {
			return t, err
		}
		for i := range dst[:n] {
			t.Add(&dst[i])
		}
	}
}

// newLog returns a log of a million events, a thousand of each tenant's in no order, and the same as Records.
func newLog(h Host) (*memlog.Log, Records) {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() {
		if err := log.Close(); err != nil {
			h.Errorf("%v", err)
		}
	})
	kind, err := region.NewKind(0x1, 0x002)
	if err != nil {
		h.Fatalf("%v", err)
	}
	records := make(Records, 0, logged)
	ds := make([]cursor.Draft, 0, 1_000)
	for _, i := range rand.New(rand.NewPCG(seed, logged)).Perm(logged) {
		c, err := region.NewCoordinate(fmt.Sprintf("%s:order:%03d", tenant(i%tenants), i/tenants%orders), Scope)
		if err != nil {
			h.Fatalf("%v", err)
		}
		ds = append(ds, cursor.Draft{Coordinate: c, Kind: kind})
		if len(ds) < cap(ds) {
			continue
		}
		made, err := log.Append(context.Background(), ds)
		if err != nil {
			h.Fatalf("%v", err)
		}
		records, ds = append(records, made...), ds[:0]
	}
	return log, records
}

func tenant(i int) string { return fmt.Sprintf("tenant-%03d", i) }
