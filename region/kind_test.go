package region_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

func TestKindConstants(t *testing.T) {
	for _, c := range []struct {
		kind     region.Kind
		value    uint16
		category uint8
		typ      uint16
		text     string
	}{
		{region.KindData, 0x1000, 0x1, 0x000, "0x1:0x000"},
		{region.KindDenial, 0x000F, 0x0, 0x00F, "0x0:0x00f"},
		{region.KindTombstone, 0x0FFE, 0x0, 0xFFE, "0x0:0xffe"},
		{region.KindEffectError, 0xD001, 0xD, 0x001, "0xd:0x001"},
		{0, 0, 0, 0, "0x0:0x000"},
		{0xFFFF, 0xFFFF, 0xF, 0xFFF, "0xf:0xfff"},
	} {
		if got := c.kind; uint16(got) != c.value || got.Category() != c.category || got.Type() != c.typ || got.String() != c.text {
			t.Errorf("got %#x: %#x, %#x, %s, want %#x: %#x, %#x, %s", uint16(got), got.Category(), got.Type(), got, c.value, c.category, c.typ, c.text)
		}
	}
}

// Every category and type there can be, good or not: what NewKind makes is what its parts say, and what it
// refuses it refuses for the right reason.
func TestNewKindOfEverything(t *testing.T) {
	types := []uint16{0, 1, 0x00A, 0x7FF, 0xFFE, 0xFFF, 0x1000, 0x1001, 0x8000, 0xFFFF}
	for c := range 256 {
		for _, typ := range types {
			var want error
			switch {
			case c > 0xF || typ > 0xFFF:
				want = region.ErrRange
			case c == 0x0 || c == 0xD:
				want = region.ErrReserved
			}
			k, err := region.NewKind(uint8(c), typ)
			if !errors.Is(err, want) {
				t.Fatalf("NewKind(%#x, %#x): got error %v, want %v", c, typ, err, want)
			}
			if err != nil && k != 0 {
				t.Fatalf("NewKind(%#x, %#x) = %v beside its error, want no Kind", c, typ, k)
			}
			if err == nil && (int(k.Category()) != c || k.Type() != typ) {
				t.Fatalf("NewKind(%#x, %#x) has category %#x, type %#x", c, typ, k.Category(), k.Type())
			}
		}
	}
}

// Every Kind, reserved or not, comes back from its text, from upper case, and from as few digits as will do.
func TestParseKindOfEverything(t *testing.T) {
	for i := range 1 << 16 {
		k := region.Kind(i)
		text := k.String()
		for _, text := range []string{
			text, strings.ToUpper(text), fmt.Sprintf("0x%x:0X%x", i>>12, i&0xFFF), fmt.Sprintf("0X%X:0x%02X", i>>12, i&0xFFF),
		} {
			if got, err := region.ParseKind(text); got != k || err != nil {
				t.Fatalf("ParseKind(%q) = %v, %v, want %v", text, got, err, k)
			}
		}
	}
}

func TestParseKindRefuses(t *testing.T) {
	cases := []struct {
		text   string
		offset int
		why    error
	}{
		{"", 0, region.ErrSyntax},
		{"0", 0, region.ErrSyntax},
		{"0x", 2, region.ErrSyntax},
		{"0x1", 3, region.ErrSyntax},
		{"0x1:", 4, region.ErrSyntax},
		{"0x1:0x", 6, region.ErrSyntax},
		{":0x001", 0, region.ErrSyntax},
		{"0x:0x001", 2, region.ErrSyntax},
		{"1:0x001", 0, region.ErrSyntax},
		{"0x1:001", 4, region.ErrSyntax},
		{"0x1 :0x001", 3, region.ErrSyntax},
		{" 0x1:0x001", 0, region.ErrSyntax},
		{"0x1:0x001 ", 9, region.ErrSyntax},
		{"0x1:0x001:", 9, region.ErrSyntax},
		{"0x1:0x00g", 8, region.ErrSyntax},
		{"0x-1:0x001", 2, region.ErrSyntax},
		{"0x1:0x+01", 6, region.ErrSyntax},
		{"0x1:0x0_1", 7, region.ErrSyntax},
		{"0x1:0x٣", 6, region.ErrSyntax},
		{"0x1.0x001", 3, region.ErrSyntax},
		{"0x1001", 2, region.ErrRange},
		{"0x10:0x001", 2, region.ErrRange},
		{"0x1:0x1000", 6, region.ErrRange},
		{"0x1:0x00001000", 6, region.ErrRange},
		{"0x1:0x" + strings.Repeat("f", 100), 6, region.ErrRange},
		{"0x01:0x001", 2, region.ErrSyntax},
		{"0x1:0x0001", 6, region.ErrSyntax},
		{"0x1:0x" + strings.Repeat("0", 100), 6, region.ErrSyntax},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			k, err := region.ParseKind(c.text)
			wantTextError(t, err, "kind", c.text, c.offset, c.why)
			if k != 0 {
				t.Errorf("ParseKind(%q) = %v beside its error, want no Kind", c.text, k)
			}
		})
	}
}
