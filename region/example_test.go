package region_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spillwayhq/spillway/region"
)

// A Region asks for an entity and all below it, in one scope, and for one category of kinds.
func Example() {
	carts := region.Region{Entity: "alice:cart", Scope: "shop", Kind: region.InCategory(0x1)}

	for _, p := range []region.Point{
		{Entity: "alice:cart", Scope: "shop", Kind: 0x1001},
		{Entity: "alice:cart:item-3", Scope: "shop", Kind: 0x1002},
		{Entity: "alice:cartoons", Scope: "shop", Kind: 0x1001},
		{Entity: "alice:cart", Scope: "archive", Kind: 0x1001},
	} {
		fmt.Println(p.Entity, p.Scope, carts.Match(p))
	}
	// Output:
	// alice:cart shop true
	// alice:cart:item-3 shop true
	// alice:cartoons shop false
	// alice:cart archive false
}

func ExampleNewCoordinate() {
	c, err := region.NewCoordinate("alice:cart", "shop")
	fmt.Println(c, err)

	_, err = region.NewCoordinate("alice/cart", "shop")
	fmt.Println(errors.Is(err, region.ErrSlash))
	if bad, ok := errors.AsType[*region.NameError](err); ok {
		fmt.Printf("%s: byte %d is %q\n", bad.Field, bad.Offset, bad.Byte)
	}
	// Output:
	// alice:cart@shop <nil>
	// true
	// entity: byte 5 is '/'
}

// A path makes an entity: each part is a segment, and Escape keeps what a name refuses.
func ExampleEscape() {
	var segments []string
	for part := range strings.SplitSeq("docs/a=b/what..if: a tale", "/") {
		segments = append(segments, strings.ReplaceAll(region.Escape(part), ":", "%3A"))
	}
	c, err := region.NewCoordinate(strings.Join(segments, ":"), "shelf")
	fmt.Println(c, err)

	last, err := region.Unescape(segments[2])
	fmt.Println(last, err)
	// Output:
	// docs:a%3Db:what%2E%2Eif%3A a tale@shelf <nil>
	// what..if: a tale <nil>
}

func ExampleNewKind() {
	k, err := region.NewKind(0x1, 0x00A)
	fmt.Println(k, err)

	_, err = region.NewKind(0xD, 1)
	fmt.Println(errors.Is(err, region.ErrReserved))
	// Output:
	// 0x1:0x00a <nil>
	// true
}

func ExampleParse() {
	r, err := region.Parse("entity=alice|kind=0x1:0x00a|lane=7")
	fmt.Println(r, err)
	fmt.Println(r.Lane == region.OneLane(7))

	_, err = region.Parse("entity=alice|lane=07")
	fmt.Println(err)
	// Output:
	// entity=alice|kind=0x1:0x00a|lane=7 <nil>
	// true
	// spillway/region: region "entity=alice|lane=07", byte 18: want a decimal number without leading zeros
}

// Clocks are for queries over a log: they select by Position.Sequence, which a Point doesn't have.
func ExampleClocks() {
	r := region.Region{Entity: "alice", Clock: region.Clocks(3, 9)}
	fmt.Println(r)
	fmt.Println(r.Clock.Match(9), r.Clock.Match(10))
	fmt.Println(errors.Is(region.Region{Clock: region.Clocks(9, 3)}.Validate(), region.ErrClockRange))
	// Output:
	// entity=alice|clock=3..9
	// true false
	// true
}

func ExamplePosition_Compare() {
	first := region.Position{WallMS: 1_000, Lane: 1, Sequence: 1}
	second := region.Position{WallMS: 990, Lane: 1, Sequence: 2} // a clock ran backwards; the order stays
	elsewhere := region.Position{WallMS: 1_000, Lane: 2, Sequence: 1}

	fmt.Println(first.Compare(second))
	fmt.Println(first.IsAncestorOf(second))
	fmt.Println(first.Compare(elsewhere))
	fmt.Println(second)
	// Output:
	// -1 true
	// true
	// 0 false
	// 0:1:2@990.0
}
