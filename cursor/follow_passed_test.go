package cursor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestH104PassedWhileQuiet: that retention passed the place of a quiet Follower is no end while it is live, whatever it looks for in the log, since its feed has
// everything. Pruned afterwards it goes on where all that it missed is kept, and says so where some isn't.
func TestH104PassedWhileQuiet(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  int // others' events that come when it was pruned
		want   string
		places uint64
	}{
		{"what it missed is kept", 0, "22 23 [fell behind at 24 by 1] 24 [caught up at 25]", 25},
		{"what it missed is passed too", 9, "22 23 [fell behind at 24 by 10] [" + (&cursor.CompactedError{From: 24, First: 28}).Error() + "]", 24},
	} {
		for _, feed := range []feedFunc{byChannel(2), byRing(2)} {
			synctest.Test(t, func(t *testing.T) {
				w := newWriter(t, memlog.Options{MaxEvents: 6})
				f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed, ProgressEvery: time.Minute})
				expect(t, f, "[caught up at 0]")
				w.add(t, "a", "a")
				expect(t, f, "0 1")
				for range 20 {
					w.add(t, "b")
				}
				for range 3 {
					time.Sleep(time.Minute)
					expect(t, f, "") // its place, 2, is passed: it looks, and stays
					if s := f.Stats(); s.State != cursor.Live || s.Place != 2 {
						t.Errorf("%s: %+v; want it live at 2", c.name, s)
					}
				}
				if lag, err := f.Lag(context.Background()); lag != 20 || err != nil {
					t.Errorf("Lag() = %d, %v; want 20: others' events count", lag, err)
				}
				w.add(t, "a", "a", "a") // the third is refused
				for range c.after {
					w.add(t, "b")
				}
				expect(t, f, c.want)
				if f.Place() != c.places || (c.after > 0) != errors.Is(f.Err(), cursor.ErrCompacted) {
					t.Errorf("%s: at %d, %v", c.name, f.Place(), f.Err())
				}
			})
		}
	}
}
