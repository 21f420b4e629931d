package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A slowSize says how many slow ones there are beside how many that aren't.
type slowSize struct {
	clients, groups int
	rate            int // events a second
	slow            int // who send a header by the byte, and as many a body
	pairs           int // of a phase with them and one without
	phase           time.Duration
}

const manyFrom = 16 // addresses, where the slow ones come from many

// runSlow measures what those who send a byte a second cost those who don't.
func runSlow(ctx context.Context, l *load, t *table) error {
	size := l.sizes.slow
	slow := l.connections(2*size.slow+size.clients) - size.clients
	t.title = fmt.Sprintf("%d who send a byte a second", slow)
	t.about = fmt.Sprintf(`%d clients stream one of %d regions each, and %d events a second are sent by requests of their own. In turns of %v, %d times each, they are alone,
or with %d from another address of whom half never end a header and half never end a body, a byte a second; who is cut off or refused comes back.`,
		size.clients, size.groups, size.rate, size.phase, 2*size.pairs, slow)
	s, err := l.serve(ctx, size.clients, "--memory", "--retain-events", "100000")
	if err != nil {
		return err
	}
	defer s.kill()
	c := fan.NewCrowd(size.groups)
	cs, err := come(ctx, c, s.addr, size.clients, size.groups)
	if err != nil {
		return err
	}
	defer cs.close()
	to := newSender(s.url)
	defer to.close()

	alone, beset := newPhase(), newPhase()
	var fate fates
	turns := []func() error{
		func() error {
			if err := s.settle(ctx); err != nil {
				return err
			}
			return alone.measure(ctx, c, to, size.groups, size.rate, size.phase)
		},
		func() error {
			b := besiege(ctx, s.addr, slow, 1)
			defer func() { fate.add(b.end()) }()
			if err := b.await(ctx); err != nil {
				return err
			}
			return beset.measure(ctx, c, to, size.groups, size.rate, size.phase)
		},
	}
	for pair := range 2 * size.pairs {
		for i := range turns {
			if err := turns[(i+pair)%2](); err != nil {
				return err
			}
		}
	}
	t.head = phaseHead
	t.row(alone.cells("alone")...)
	t.row(beset.cells("with slow ones")...)
	t.note("the slow ones were cut off %d times, refused %d times, and came %d times", fate.cut, fate.refused, fate.came)
	t.assert(true, "every event was taken and got to everybody, once and in order, slow ones or not: %d deliveries", alone.count+beset.count)
	l.compare(t, "with slow ones, against alone", beset, alone)
	if err := manyAddresses(ctx, s, to, size, slow, t); err != nil {
		return err
	}
	t.assert(c.Err() == nil, "no stream was lost meanwhile")
	return nil
}

// manyAddresses says what becomes of requests when bodies that don't end come from many addresses, each of which may have some under way: that
// is a bound of the server's, and it is shown, not asserted.
func manyAddresses(ctx context.Context, s *server, to *sender, size slowSize, slow int, t *table) error {
	b := besiege(ctx, s.addr, slow, manyFrom)
	defer b.end()
	if err := b.await(ctx); err != nil {
		return err
	}
	answered := hdrhistogram.New(1, int64(time.Minute), 2)
	asked, refused := 0, 0
	probe := fan.NewCrowd(1)
	err := fan.Timetable{Rate: 20, Long: size.phase}.Run(ctx, probe, func(due time.Duration, _ int) error {
		asked++
		err := to.send(ctx, appendEvent(nil, "", "probe", probe.Make(0, due, eventBytes)))
		if _, is := errors.AsType[*refusedError](err); is {
			refused++
			return nil
		}
		_ = answered.RecordValue(max(1, min(int64(probe.Now()-due), int64(time.Minute)))) // its only error is a value beyond
		return err
	})
	if err != nil {
		return err
	}
	taken := "none was taken"
	if answered.TotalCount() > 0 {
		taken = "the others' p99 was " + report.Duration(float64(answered.ValueAtPercentile(99)))
	}
	t.note("the same slow ones from %d addresses: of %d requests with events %d were refused; %s. (serve --max-ingests is for all together.)",
		manyFrom, asked, refused, taken)
	return nil
}
