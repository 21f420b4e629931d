package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// publishers send events to groups, each of which has one of them, so that the events of a group are sent in order.
const publishers = 4

// eventBytes is how large an event's payload is.
const eventBytes = 128

// publish sends so many events a second, each by a request of its own, and returns how long after they were due they were answered:
// appended and broadcast.
func publish(ctx context.Context, c *fan.Crowd, to *sender, groups, rate int, long time.Duration) (*hdrhistogram.Histogram, error) {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex // of answered and errs
		errs []error

		answered = hdrhistogram.New(1, int64(time.Minute), 2)
	)
	table := fan.Timetable{Rate: max(1, rate/publishers), Long: long}
	for p := range min(publishers, groups) {
		all.Go(func() {
			group := p
			err := table.Run(ctx, c, func(due time.Duration, _ int) error {
				body := appendEvent(nil, "", fmt.Sprintf("g%d", group), c.Make(group, due, eventBytes))
				if group += publishers; group >= groups {
					group = p
				}
				err := to.send(ctx, body)
				mu.Lock()
				defer mu.Unlock()
				_ = answered.RecordValue(max(1, min(int64(c.Now()-due), int64(time.Minute)))) // its only error is a value beyond
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	all.Wait()
	return answered, errors.Join(errs...)
}
