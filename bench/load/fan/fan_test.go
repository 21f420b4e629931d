package fan_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

func TestRead(t *testing.T) {
	c := fan.NewCrowd(1)
	for range 3 {
		c.Make(0, 0, 0)
	}
	text := c.Make(0, 12345, 200)
	if len(text) != 200 {
		t.Errorf("it has %d bytes, want 200", len(text))
	}
	e, err := fan.Read([]byte(`{"push":{"data":` + string(text) + `}}`))
	if err != nil || e.N != 3 || e.Due != 12345 {
		t.Errorf("got %+v, %v", e, err)
	}
	for _, bad := range []string{"", `{"n":}`, `{"n":1}`, `{"n":99999999999999999999,"due":1}`} {
		if _, err := fan.Read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// A member that gets an event twice, out of order, or not at all is found.
func TestMembersFindWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name string
		gets []int
		want string
	}{
		{"all of them", []int{0, 1, 2}, ""},
		{"one twice", []int{0, 1, 1}, "got event 2 where 3"},
		{"one missing", []int{0, 2}, "got event 3 where 2"},
		{"out of order", []int{1, 0, 2}, "got event 2 where 1"},
		{"the last missing", []int{0, 1}, "1 deliveries have not come"},
	} {
		c := fan.NewCrowd(2)
		c.Make(1, 0, 0) // before it came
		m := c.Join(1)
		var events [][]byte
		for range 3 {
			c.Make(0, 0, 0) // another's
			events = append(events, c.Make(1, 0, 0))
		}
		for _, i := range test.gets {
			if m.Got(events[i]) != nil {
				break
			}
		}
		err := c.Await(t.Context(), time.Millisecond)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v; want %q", test.name, err, test.want)
		}
	}
}

// What is late is late by the timetable, and the timetable goes on as it was.
func TestTimetableDoesNotSlip(t *testing.T) {
	c := fan.NewCrowd(1)
	var dues []time.Duration
	slow := make(chan struct{})
	time.AfterFunc(30*time.Millisecond, func() { close(slow) })
	err := fan.Timetable{Rate: 1000, Long: 10 * time.Millisecond}.Run(t.Context(), c, func(due time.Duration, i int) error {
		if i == 2 {
			<-slow // later than all that is still to come
		}
		dues = append(dues, due)
		return nil
	})
	if err != nil || len(dues) != 10 {
		t.Fatalf("%d events, %v", len(dues), err)
	}
	for i := range dues[1:] {
		if between := dues[i+1] - dues[i]; between != time.Millisecond {
			t.Errorf("event %d was due %v after the one before", i+1, between)
		}
	}
}

// Work counts what it delivers, and gives up where some is lost.
func TestWork(t *testing.T) {
	c := fan.NewCrowd(1)
	members := []*fan.Member{c.Join(0), c.Join(0), c.Join(0)}
	work := fan.Work{Clients: 3, Bytes: 100, Rate: 1000, Paced: 20 * time.Millisecond, Block: 10}
	send := func(_ context.Context, events [][]byte) error {
		for _, m := range slices.Backward(members) {
			for _, e := range events {
				if err := m.Got(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	f, err := work.Do(t.Context(), c, send)
	if err != nil || f.Deliveries != 3*(3*10+20) || f.P99 < f.P50 || f.Max < f.P99 {
		t.Errorf("%+v, %v; want %d deliveries", f, err, 3*(3*10+20))
	}
	if _, err := (fan.Work{Clients: 4}).Do(t.Context(), c, send); err == nil {
		t.Error("a client that has not come was not missed")
	}
}
