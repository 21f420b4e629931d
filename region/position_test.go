package region_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/region"
)

func TestPositionOrder(t *testing.T) {
	at := region.Position{WallMS: 1000, Counter: 3, Depth: 5, Lane: 2, Sequence: 7}
	with := func(change func(*region.Position)) region.Position {
		p := at
		change(&p)
		return p
	}
	cases := []struct {
		name     string
		q        region.Position
		order    int
		ok       bool
		ancestor bool // at is one of q
	}{
		{"itself", at, 0, true, false},
		{"next", with(func(p *region.Position) { p.Sequence++ }), -1, true, true},
		{"before", with(func(p *region.Position) { p.Sequence-- }), 1, true, false},
		{"far", with(func(p *region.Position) { p.Sequence = math.MaxUint32 }), -1, true, true},
		{"first", with(func(p *region.Position) { p.Sequence = 0 }), 1, true, false},
		{"next, by an earlier clock", with(func(p *region.Position) { p.Sequence, p.WallMS, p.Counter = 8, 0, 0 }), -1, true, true},
		{"same sequence, other time", with(func(p *region.Position) { p.WallMS++ }), 0, false, false},
		{"same sequence, other counter", with(func(p *region.Position) { p.Counter-- }), 0, false, false},
		{"other lane", with(func(p *region.Position) { p.Lane++; p.Sequence++ }), 0, false, false},
		{"other depth", with(func(p *region.Position) { p.Depth--; p.Sequence++ }), 0, false, false},
		{"lane and depth exchanged", region.Position{WallMS: 1000, Counter: 3, Depth: 2, Lane: 5, Sequence: 8}, 0, false, false},
		{"zero", region.Position{}, 0, false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if order, ok := at.Compare(c.q); order != c.order || ok != c.ok {
				t.Errorf("%v.Compare(%v) = %d, %v, want %d, %v", at, c.q, order, ok, c.order, c.ok)
			}
			if order, ok := c.q.Compare(at); order != -c.order || ok != c.ok {
				t.Errorf("%v.Compare(%v) = %d, %v, want %d, %v", c.q, at, order, ok, -c.order, c.ok)
			}
			if got := at.IsAncestorOf(c.q); got != c.ancestor {
				t.Errorf("%v.IsAncestorOf(%v) = %v, want %v", at, c.q, got, c.ancestor)
			}
		})
	}
}

// drawPosition draws from few values, so that Positions meet.
func drawPosition(t *rapid.T, name string) region.Position {
	few := rapid.Uint32Range(0, 2)
	return region.Position{
		WallMS: uint64(few.Draw(t, name+" wall")), Counter: uint16(few.Draw(t, name+" counter")),
		Depth: few.Draw(t, name+" depth"), Lane: few.Draw(t, name+" lane"), Sequence: few.Draw(t, name+" sequence"),
	}
}

// Compare and IsAncestorOf are one strict partial order, and Compare says equal only of equals.
func TestPositionOrderIsPartial(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, r := drawPosition(t, "p"), drawPosition(t, "q"), drawPosition(t, "r")
		order, ok := p.Compare(q)
		if (order == 0 && ok) != (p == q) {
			t.Errorf("%v.Compare(%v) = %d, %v", p, q, order, ok)
		}
		if p.IsAncestorOf(q) != (order < 0) {
			t.Errorf("%v.Compare(%v) = %d, but IsAncestorOf is %v", p, q, order, p.IsAncestorOf(q))
		}
		if p.IsAncestorOf(q) && (q.IsAncestorOf(p) || q.IsAncestorOf(r) && !p.IsAncestorOf(r)) {
			t.Errorf("%v, %v, %v: ancestors are not in one order", p, q, r)
		}
	})
}

func TestPositionText(t *testing.T) {
	cases := []struct {
		p    region.Position
		want string
	}{
		{region.Position{}, "0:0:0@0.0"},
		{region.Position{WallMS: 4, Counter: 5, Depth: 1, Lane: 2, Sequence: 3}, "1:2:3@4.5"},
		{
			region.Position{WallMS: math.MaxUint64, Counter: math.MaxUint16, Depth: math.MaxUint32, Lane: math.MaxUint32, Sequence: math.MaxUint32},
			"4294967295:4294967295:4294967295@18446744073709551615.65535",
		},
		{region.Position{WallMS: 1_700_000_000_000, Counter: 10, Depth: 100}, "100:0:0@1700000000000.10"},
	}
	for _, c := range cases {
		if got := c.p.String(); got != c.want {
			t.Errorf("%#v is %q, want %q", c.p, got, c.want)
		}
		if got, err := region.ParsePosition(c.want); got != c.p || err != nil {
			t.Errorf("ParsePosition(%q) = %v, %v", c.want, got, err)
		}
	}
}

func TestParsePositionRefuses(t *testing.T) {
	cases := []struct {
		text   string
		offset int
		why    error
	}{
		{"", 0, region.ErrSyntax},
		{"1", 1, region.ErrSyntax},
		{"1:2:3", 5, region.ErrSyntax},
		{"1:2:3@4", 7, region.ErrSyntax},
		{"1:2:3@4.", 8, region.ErrSyntax},
		{"1:2:3@4.5.", 9, region.ErrSyntax},
		{"1:2:3@4.5 ", 9, region.ErrSyntax},
		{" 1:2:3@4.5", 0, region.ErrSyntax},
		{":2:3@4.5", 0, region.ErrSyntax},
		{"1::3@4.5", 2, region.ErrSyntax},
		{"1:2@3:4.5", 3, region.ErrSyntax},
		{"1:2:3:4.5", 5, region.ErrSyntax},
		{"1:2:3@4:5", 7, region.ErrSyntax},
		{"01:2:3@4.5", 0, region.ErrSyntax},
		{"1:2:3@4.05", 8, region.ErrSyntax},
		{"1:2:3@4.00", 8, region.ErrSyntax},
		{"+1:2:3@4.5", 0, region.ErrSyntax},
		{"1:-2:3@4.5", 2, region.ErrSyntax},
		{"1:2:0x3@4.5", 5, region.ErrSyntax},
		{"1:2:3@4_0.5", 7, region.ErrSyntax},
		{"1:2:٣@4.5", 4, region.ErrSyntax},
		{"1:2:3@4.5\x00", 9, region.ErrSyntax},
		{"4294967296:2:3@4.5", 0, region.ErrRange},
		{"1:4294967296:3@4.5", 2, region.ErrRange},
		{"1:2:4294967296@4.5", 4, region.ErrRange},
		{"1:2:3@18446744073709551616.5", 6, region.ErrRange},
		{"1:2:3@4.65536", 8, region.ErrRange},
		{"1:2:3@99999999999999999999999999.5", 6, region.ErrRange},
		{"4294967296:x", 0, region.ErrRange},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			p, err := region.ParsePosition(c.text)
			wantTextError(t, err, "position", c.text, c.offset, c.why)
			if p != (region.Position{}) {
				t.Errorf("ParsePosition(%q) = %v beside its error, want no Position", c.text, p)
			}
		})
	}
}

func TestParsePositionIsTheInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := region.Position{
			WallMS: rapid.Uint64().Draw(t, "wall"), Counter: rapid.Uint16().Draw(t, "counter"),
			Depth: rapid.Uint32().Draw(t, "depth"), Lane: rapid.Uint32().Draw(t, "lane"), Sequence: rapid.Uint32().Draw(t, "sequence"),
		}
		if got, err := region.ParsePosition(p.String()); got != p || err != nil {
			t.Errorf("ParsePosition(%q) = %v, %v", p, got, err)
		}
	})
}
