package region_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/region"
)

func TestRegionText(t *testing.T) {
	cases := []struct {
		r    region.Region
		want string
	}{
		{region.Region{}, "*"},
		{region.Region{Entity: "alice"}, "entity=alice"},
		{region.Region{Entity: "*"}, "entity=*"},
		{region.Region{Scope: "shop"}, "scope=shop"},
		{region.Region{Scope: "entity"}, "scope=entity"},
		{region.Region{Entity: "a b:ä@%2F", Scope: ":"}, "entity=a b:ä@%2F|scope=:"},
		{region.Region{Kind: region.OneKind(0x100A)}, "kind=0x1:0x00a"},
		{region.Region{Kind: region.OneKind(0)}, "kind=0x0:0x000"},
		{region.Region{Kind: region.OneKind(0xFFFF)}, "kind=0xf:0xfff"},
		{region.Region{Kind: region.InCategory(0)}, "category=0x0"},
		{region.Region{Kind: region.InCategory(0xD)}, "category=0xd"},
		{region.Region{Lane: region.OneLane(0)}, "lane=0"},
		{region.Region{Lane: region.OneLane(math.MaxUint32)}, "lane=4294967295"},
		{region.Region{Clock: region.Clocks(0, 0)}, "clock=0..0"},
		{region.Region{Clock: region.Clocks(3, 9)}, "clock=3..9"},
		{region.Region{Clock: region.Clocks(0, math.MaxUint32)}, "clock=0..4294967295"},
		{
			region.Region{Entity: "alice:cart", Scope: "shop", Kind: region.InCategory(1), Lane: region.OneLane(7), Clock: region.Clocks(3, 9)},
			"entity=alice:cart|scope=shop|category=0x1|lane=7|clock=3..9",
		},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			if got := c.r.String(); got != c.want {
				t.Errorf("got text %q, want %q", got, c.want)
			}
			if got, err := region.Parse(c.want); got != c.r || err != nil {
				t.Errorf("Parse(%q) = %v, %v", c.want, got, err)
			}
		})
	}
}

func TestParseRefusesWhatIsNotCanonical(t *testing.T) {
	cases := []struct {
		text   string
		offset int
		why    error
	}{
		{"", 0, region.ErrSyntax},
		{" ", 0, region.ErrSyntax},
		{"**", 0, region.ErrSyntax},
		{"*|lane=1", 0, region.ErrSyntax},
		{"lane=1|*", 7, region.ErrSyntax},
		{" *", 0, region.ErrSyntax},
		{"|", 0, region.ErrSyntax},
		{"|lane=1", 0, region.ErrSyntax},
		{"lane=1|", 7, region.ErrSyntax},
		{"lane=1||clock=0..0", 7, region.ErrSyntax},
		{"entity", 0, region.ErrSyntax},
		{"alice", 0, region.ErrSyntax},
		{"Entity=alice", 0, region.ErrSyntax},
		{" entity=alice", 0, region.ErrSyntax},
		{"=alice", 0, region.ErrSyntax},
		{"sequence=1", 0, region.ErrSyntax},
		{"scope=s|entity=e", 8, region.ErrSyntax},
		{"lane=1|lane=1", 7, region.ErrSyntax},
		{"entity=a|entity=a", 9, region.ErrSyntax},
		{"kind=0x1:0x001|category=0x1", 15, region.ErrSyntax},
		{"category=0x1|kind=0x1:0x001", 13, region.ErrSyntax},
		{"clock=0..0|lane=1", 11, region.ErrSyntax},

		{"kind=", 5, region.ErrSyntax},
		{"kind=*", 5, region.ErrSyntax},
		{"kind=0x1", 8, region.ErrSyntax},
		{"kind=0x1:0xa", 5, region.ErrSyntax},
		{"kind=0x1:0x00A", 5, region.ErrSyntax},
		{"kind=0X1:0x00a", 5, region.ErrSyntax},
		{"kind=0x01:0x00a", 7, region.ErrSyntax},
		{"kind=0x1:0x00a ", 14, region.ErrSyntax},
		{"kind=0x10:0x00a", 7, region.ErrRange},
		{"kind=0x1:0x1000", 11, region.ErrRange},
		{"category=", 9, region.ErrSyntax},
		{"category=1", 9, region.ErrSyntax},
		{"category=0xA", 9, region.ErrSyntax},
		{"category=0X1", 9, region.ErrSyntax},
		{"category=0x01", 11, region.ErrSyntax},
		{"category=0x", 11, region.ErrSyntax},
		{"category=0x10", 11, region.ErrRange},
		{"category=0x1:0x001", 12, region.ErrSyntax},

		{"lane=", 5, region.ErrSyntax},
		{"lane=00", 5, region.ErrSyntax},
		{"lane=07", 5, region.ErrSyntax},
		{"lane=+7", 5, region.ErrSyntax},
		{"lane=-0", 5, region.ErrSyntax},
		{"lane=0x7", 6, region.ErrSyntax},
		{"lane= 7", 5, region.ErrSyntax},
		{"lane=7\n", 6, region.ErrSyntax},
		{"lane=4294967296", 5, region.ErrRange},
		{"lane=18446744073709551616", 5, region.ErrRange},
		{"clock=", 6, region.ErrSyntax},
		{"clock=3", 7, region.ErrSyntax},
		{"clock=3..", 9, region.ErrSyntax},
		{"clock=..9", 6, region.ErrSyntax},
		{"clock=3.9", 7, region.ErrSyntax},
		{"clock=3...9", 9, region.ErrSyntax},
		{"clock=3..09", 9, region.ErrSyntax},
		{"clock=3..9..10", 10, region.ErrSyntax},
		{"clock=0..4294967296", 9, region.ErrRange},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			r, err := region.Parse(c.text)
			wantTextError(t, err, "region", c.text, c.offset, c.why)
			if r != (region.Region{}) {
				t.Errorf("Parse(%q) = %v beside its error, want no Region", c.text, r)
			}
		})
	}
}

// What a name may not hold it may not hold in a text either; a bar ends it, and what follows is no field.
func TestParseRefusesNames(t *testing.T) {
	for _, c := range nameFaults {
		if strings.Contains(c.text, "|") {
			continue
		}
		if c.field != "scope" {
			_, err := region.Parse("entity=" + c.text + "|lane=1")
			wantNameError(t, err, "entity", c.text, c.offset, c.why)
		}
		if c.field != "entity" {
			_, err := region.Parse("entity=alice|scope=" + c.text)
			wantNameError(t, err, "scope", c.text, c.offset, c.why)
		}
	}
	_, err := region.Parse("entity=a|b")
	wantTextError(t, err, "region", "entity=a|b", 9, region.ErrSyntax)
	_, err = region.Parse("entity=a/b|nonsense")
	wantNameError(t, err, "entity", "a/b", 1, region.ErrSlash)
	if r, err := region.Parse("clock=9..3"); !errors.Is(err, region.ErrClockRange) || r != (region.Region{}) {
		t.Errorf("got %v, %v, want ErrClockRange", r, err)
	}
}

// anyRegion draws valid Regions, often with a field at its least or its greatest.
var anyRegion = rapid.Custom(func(t *rapid.T) region.Region {
	name := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-c*ä.%]([a-c]|:[a-c@]){0,5}`), rapid.Just(deep(64)))
	edge := rapid.OneOf(rapid.SampledFrom([]uint32{0, 1, 9, 10, math.MaxUint32}), rapid.Uint32())
	r := region.Region{
		Entity: name.Draw(t, "entity"),
		Scope:  strings.ReplaceAll(name.Draw(t, "scope"), "@", ""),
		Kind: rapid.OneOf(
			rapid.Just(region.KindFilter{}),
			rapid.Map(rapid.Uint16(), func(k uint16) region.KindFilter { return region.OneKind(region.Kind(k)) }),
			rapid.Map(rapid.Uint8Max(15), region.InCategory),
		).Draw(t, "kind"),
	}
	if rapid.Bool().Draw(t, "on a lane") {
		r.Lane = region.OneLane(edge.Draw(t, "lane"))
	}
	if rapid.Bool().Draw(t, "with a clock") {
		a, b := edge.Draw(t, "one clock"), edge.Draw(t, "another")
		r.Clock = region.Clocks(min(a, b), max(a, b))
	}
	return r
})

func TestRegionTextIsOnePerRegion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, other := anyRegion.Draw(t, "r"), anyRegion.Draw(t, "other")
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		if got, err := region.Parse(r.String()); got != r || err != nil {
			t.Errorf("Parse(%q) = %v, %v", r, got, err)
		}
		if (r == other) != (r.String() == other.String()) || r == other && r.Hash() != other.Hash() {
			t.Errorf("%v and %v: equal is %v", r, other, r == other)
		}
	})
}

// Whatever is done to a good text at one place, Parse refuses it, or it is the text of another Region.
func TestParseTakesCanonicalTextOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyRegion.Draw(t, "r").String()
		from := rapid.IntRange(0, len(text)).Draw(t, "from")
		to := rapid.IntRange(from, min(from+2, len(text))).Draw(t, "to")
		piece := rapid.OneOf(rapid.SampledFrom([]string{"", "0", "|", "=", "*", ".", "..", ":", "x", "A", " ", "|lane=1", "entity="}), rapid.StringN(0, 2, 4)).Draw(t, "piece")
		changed := text[:from] + piece + text[to:]
		r, err := region.Parse(changed)
		if err == nil && (r.String() != changed || r.Validate() != nil) {
			t.Errorf("Parse(%q) = %v", changed, r)
		}
		if err != nil && r != (region.Region{}) {
			t.Errorf("Parse(%q) = %v beside the error %v", changed, r, err)
		}
	})
}

func TestRegionInJSON(t *testing.T) {
	type saved struct {
		Asked region.Region
		Seen  map[region.Region]int
	}
	r := region.Region{Entity: "ä<b>", Lane: region.OneLane(3)}
	text, err := json.Marshal(saved{r, map[region.Region]int{{}: 1, r: 2}})
	if err != nil {
		t.Fatal(err)
	}
	var got saved
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Asked != r || len(got.Seen) != 2 || got.Seen[region.Region{}] != 1 || got.Seen[r] != 2 {
		t.Errorf("%s was read as %v", text, got)
	}
	if err := json.Unmarshal([]byte(`{"Asked": "lane=x"}`), &got); !errors.Is(err, region.ErrSyntax) {
		t.Errorf("got %v, want ErrSyntax", err)
	}
	if got.Asked != r {
		t.Errorf("after an error the Region is %v, want what it was, %v", got.Asked, r)
	}
	if text := fmt.Sprintf("%v|%s", r, r); text != "entity=ä<b>|lane=3|entity=ä<b>|lane=3" {
		t.Errorf("fmt writes %q", text)
	}
}
