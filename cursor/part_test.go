package cursor_test

import (
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// partOf returns which of n parts has c, and fails unless just one does.
func partOf(t *testing.T, c region.Coordinate, n int) (part int) {
	t.Helper()
	part = -1
	for i := range n {
		if cursor.Partition(i, n).Has(c) {
			if part >= 0 {
				t.Errorf("%s is in parts %d and %d of %d", c, part, i, n)
			}
			part = i
		}
	}
	if part < 0 {
		t.Errorf("%s is in no part of %d", c, n)
	}
	return part
}

// TestPartitionGolden freezes which entity is in which part: workers of two builds must agree.
func TestPartitionGolden(t *testing.T) {
	for _, c := range []struct {
		entity, scope string
		want          string // of 1, 2, 3, 10 and 1,000 parts
	}{
		{"alice", "shop", "[0 1 1 1 489]"},
		{"alice", "bank", "[0 1 2 9 949]"},
		{"bob", "shop", "[0 1 1 1 887]"},
		{"alice:child", "shop", "[0 1 1 6 682]"},
		{"ä", "ö", "[0 1 1 1 1]"},
		{"a", "b", "[0 0 0 0 827]"},
		{"order-4711:line-3:part-of-a-long-name", "warehouse north", "[0 0 0 4 878]"},
	} {
		coordinate, err := region.NewCoordinate(c.entity, c.scope)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, n := range []int{1, 2, 3, 10, 1000} {
			got = append(got, partOf(t, coordinate, n))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", coordinate, got, c.want)
		}
	}
}

// TestPartitionMovesFew: the parts are about equal, and of one part more each entity is where it was, or in the new one.
func TestPartitionMovesFew(t *testing.T) {
	const entities = 4000
	for n := 1; n < 8; n++ {
		counts := make([]int, n+1)
		for i := range entities {
			c := coordinate(t, fmt.Sprintf("entity-%d", i))
			before, after := partOf(t, c, n), partOf(t, c, n+1)
			if after != before && after != n {
				t.Errorf("%s goes from part %d of %d to %d", c, before, n, after)
			}
			counts[after]++
		}
		for i, got := range counts {
			if want := entities / (n + 1); got < want*8/10 || got > want*12/10 {
				t.Errorf("part %d of %d has %d of %d entities", i, n+1, got, entities)
			}
		}
	}
	if (cursor.Part{}).String() != "the whole" || cursor.Partition(1, 4).String() != "1 of 4" || !(cursor.Part{}).Has(coordinate(t, "alice")) {
		t.Error("the zero Part is the whole")
	}
}

func TestPartitionPanics(t *testing.T) {
	cases := [][2]int{{0, 0}, {-1, 2}, {2, 2}, {1, -1}}
	if large := uint64(1) << 32; uint64(uint(large)) == large { // an int has 64 bits
		cases = append(cases, [2]int{0, int(large)}, [2]int{int(large), int(large) + 1})
	}
	for _, c := range cases {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("part %d of %d is one", c[0], c[1])
				}
			}()
			cursor.Partition(c[0], c[1])
		}()
	}
}
