package fan

import (
	"context"
	"time"
)

// A Timetable says when events are due. It does not slip: what is sent late was due when it was, and its latency counts from then.
type Timetable struct {
	Rate int           // events a second
	Long time.Duration // for so long
}

// Run calls send for each event when it is due, one after the other, and at once for those that are late.
func (t Timetable) Run(ctx context.Context, c *Crowd, send func(due time.Duration, i int) error) error {
	interval := time.Second / time.Duration(t.Rate)
	begin := c.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range max(1, int(t.Long/interval)) {
		due := begin + time.Duration(i)*interval
		if wait := due - c.Now(); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-c.Failed():
				return c.Err()
			}
		}
		if err := send(due, i); err != nil {
			return err
		}
	}
	return nil
}
