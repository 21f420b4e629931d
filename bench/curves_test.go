package bench

import (
	"testing"
	"unsafe"
)

// BenchmarkCurves asks how figures grow, with subscriptions, writers, bytes and depth.
func BenchmarkCurves(b *testing.B) {
	for _, c := range Curves() {
		b.Run(c.ID, func(b *testing.B) {
			for _, p := range c.Points {
				b.Run(p.Row.Case, p.Row.benchmark)
			}
		})
	}
}

// Every curve says what it is, its points have names of their own, grow, and are found by them.
func TestCurves(t *testing.T) {
	rows := make(map[string]bool)
	for _, r := range Rows() {
		rows[r.ID], rows[r.Name()] = true, true
	}
	for _, c := range Curves() {
		if c.ID == "" || c.Title == "" || c.X == "" || c.Note == "" || c.Unit != PerDelivery && c.Unit != PerSecond || len(c.Points) < 3 {
			t.Errorf("%q doesn't say what it is: %+v", c.ID, c)
		}
		if rows[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		if points, err := PointsOf(c.ID); err != nil || len(points) != len(c.Points) {
			t.Errorf("PointsOf(%q) are %d, %v; want %d", c.ID, len(points), err, len(c.Points))
		}
		last := 0.0
		for _, p := range c.Points {
			r := p.Row
			if rows[r.Name()] || r.ID != c.ID || r.Against == "" || r.Deliveries < 1 || r.Target != 0 || r.Open == nil {
				t.Errorf("%s: %+v", r.Name(), r)
			}
			rows[r.Name()] = true
			if p.X <= last {
				t.Errorf("%s is at %v, which doesn't come after %v", r.Name(), p.X, last)
			}
			last = p.X
			if points, err := PointsOf(r.Name()); err != nil || len(points) != 1 || points[0].X != p.X {
				t.Errorf("PointsOf(%q) = %v, %v; want the point", r.Name(), points, err)
			}
		}
	}
	if _, err := PointsOf("P1"); err == nil {
		t.Error("P1 is a point of a curve")
	}
}

// Everything that the sides of a curve check holds at its second point, the least with several of what grows.
func TestCurvesDeliver(t *testing.T) {
	for _, c := range Curves() {
		p := c.Points[1]
		t.Run(p.Row.Name(), func(t *testing.T) {
			r := p.Row.Measure(t, func() bool { return false })
			low, this, high := c.Unit.Of(p.Row, r.ThisSpan.Low), c.Unit.Of(p.Row, r.This), c.Unit.Of(p.Row, r.ThisSpan.High)
			if r.Rounds != minRounds || min(low, high) <= 0 || this < min(low, high) || this > max(low, high) {
				t.Errorf("%v, between %v and %v, of %d rounds", this, low, high, r.Rounds)
			}
			if against := r.AgainstSpan; r.Against <= 0 || r.Against < against.Low || r.Against > against.High {
				t.Errorf("the baseline is %v, of %+v", r.Against, against)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	r := Row{Deliveries: 10}
	if got := PerDelivery.Of(r, 500); got != 50 {
		t.Errorf("500 ns for ten deliveries are %v ns each; want 50", got)
	}
	if got := PerSecond.Of(r, 500); got != 2e7 {
		t.Errorf("500 ns for ten deliveries are %v a second; want twenty million", got)
	}
}

func TestSizedAreOfTheirSize(t *testing.T) {
	for _, s := range []struct {
		got  uintptr
		want int
	}{
		{unsafe.Sizeof(sized[[8]byte]{}), 16},
		{unsafe.Sizeof(sized[[56]byte]{}), 64},
		{unsafe.Sizeof(sized[[248]byte]{}), 256},
		{unsafe.Sizeof(sized[[1016]byte]{}), 1024},
		{unsafe.Sizeof(sized[[4088]byte]{}), 4096},
	} {
		if int(s.got) != s.want {
			t.Errorf("an event of %d bytes has %d", s.want, s.got)
		}
	}
}

// Equal code is measured on both sides of the null row.
func TestNull(t *testing.T) {
	r := Null().Measure(t, func() bool { return false })
	if r.Rounds != minRounds || r.This <= 0 || r.Against <= 0 || r.Allocs > 0 && !raceEnabled {
		t.Errorf("got %+v", r)
	}
}
