package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A steadySize says how long events are taken while clients come and go.
type steadySize struct {
	clients int           // at one time
	stay    time.Duration // how long one stays, on average
	rate    int           // requests with events a second,
	batch   int           // and events of each
	long    time.Duration
	every   time.Duration // a sample
	keep    int           // events that the log keeps: less than a tenth of the run's
}

const (
	steadyGroups = 8

	rssDrift        = 0.05    // by which the server's memory may be drawn to grow from the first sample to the last,
	rssDriftBytes   = 6 << 20 // or by this
	descriptorDrift = 0.05    // and its descriptors,
	descriptorFew   = 16
)

// runSteady watches whether the server keeps hold of what it should let go.
func runSteady(ctx context.Context, l *load, t *table) (err error) {
	size := l.sizes.steady
	size.clients = l.connections(size.clients)
	t.title = fmt.Sprintf("%v of events, with clients coming and going", size.long)
	t.about = fmt.Sprintf(`%d requests a second of %d events each go to a log in a folder, which keeps the last %d. There are %d clients at a time, of one of %d
regions each. One stays %v on average, goes without a word, and every other comes back with the id of its last event. The server's memory and
descriptors are sampled every %v; the first half, in which caches fill, is left out of all but the tenths. The slope is the median of
those between all pairs of samples.`,
		size.rate, size.batch, size.keep, size.clients, steadyGroups, size.stay, size.every)
	s, err := l.serve(ctx, size.clients, "--data", filepath.Join(l.dir, "steady"), "--retain-events", fmt.Sprint(size.keep))
	if err != nil {
		return err
	}
	defer s.kill()
	before, err := s.descriptors()
	if err != nil {
		return err
	}
	comers, samples, err := steadily(ctx, s, size)
	if err != nil {
		return err
	}
	rss := func(s sample) float64 { return s.rss }
	memory := steadied(samples, rss)
	files := steadied(samples, func(s sample) float64 { return float64(s.descriptors) })
	t.head = []string{"", "median", "least", "most", "drawn to grow by"}
	t.row("memory", mib(memory.median), mib(memory.least), mib(memory.most), fmt.Sprintf("%+.1f MiB (%+.1f %%)", memory.drift/(1<<20), 100*memory.share()))
	t.row("descriptors", fmt.Sprintf("%.0f", files.median), fmt.Sprintf("%.0f", files.least), fmt.Sprintf("%.0f", files.most), fmt.Sprintf("%+.1f (%+.1f %%)", files.drift, 100*files.share()))
	var course []string
	for _, median := range tenths(samples, rss) {
		course = append(course, fmt.Sprintf("%.0f", median/(1<<20)))
	}
	t.note("memory by tenths of the run, the first included, in MiB: %s", strings.Join(course, ", "))
	t.note("%s events were appended; clients came %d times, %d of them back with an id, and got %s events", report.Short(float64(comers.events)), comers.came, comers.back, report.Short(float64(comers.got)))
	t.assert(true, "nobody missed an event between coming and going, nor between going and coming back, nor got one twice or out of order")
	if !l.sizes.untimed { // a second or two has no slope
		t.assert(memory.drift <= max(rssDrift*memory.median, rssDriftBytes), "memory is flat: in %d samples it is drawn to grow by %s, where %.0f %% or %s are let pass",
			memory.n, mib(memory.drift), 100*rssDrift, mib(rssDriftBytes))
		t.assert(files.drift <= max(descriptorDrift*files.median, descriptorFew), "descriptors are flat: they are drawn to grow by %.1f, where %.0f %% or %d are let pass",
			files.drift, 100*descriptorDrift, descriptorFew)
	}
	after := 0
	gone := until(ctx, 30*time.Second, func() (ok bool, err error) {
		after, err = s.descriptors()
		return after <= before+descriptorFew, err
	})
	t.assert(gone == nil, "when all clients have gone there are %d descriptors, and %d before they came; %d more are let pass for the log's files", after, before, descriptorFew)
	err = s.end(syscall.SIGTERM)
	t.assert(err == nil, "SIGTERM ends the server in good order")
	return nil
}

// steadily has events be taken and clients come and go, and samples the server meanwhile.
func steadily(ctx context.Context, s *server, size steadySize) (*comers, []sample, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &comers{crowd: fan.NewCrowd(steadyGroups), addr: s.addr, stay: size.stay}
	over := make(chan struct{})
	var all sync.WaitGroup
	for i := range size.clients {
		all.Go(func() {
			if err := c.comeAndGo(ctx, over, rand.New(rand.NewPCG(uint64(i), 7)), i%steadyGroups); err != nil {
				c.crowd.Fail(err)
			}
		})
	}
	to := newSender(s.url)
	defer to.close()
	var watch watch
	all.Go(func() {
		if err := watch.run(over, s, size.every); err != nil {
			c.crowd.Fail(err)
		}
	})
	k := 0
	err := fan.Timetable{Rate: size.rate, Long: size.long}.Run(ctx, c.crowd, func(due time.Duration, _ int) error {
		events := make([][]byte, size.batch)
		for i := range events {
			group := k % steadyGroups
			k++
			events[i] = appendEvent(nil, "", fmt.Sprintf("g%d", group), c.crowd.Make(group, due, eventBytes))
		}
		return to.send(ctx, appendArray(nil, events))
	})
	close(over)
	if err != nil {
		stop()
	}
	all.Wait()
	c.events = k
	if err == nil {
		err = c.crowd.Err()
	}
	return c, watch.samples, err
}
