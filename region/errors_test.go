package region_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/region"
)

// sentinels are all that errors.Is can tell apart.
var sentinels = []error{
	region.ErrEmpty, region.ErrTooLong, region.ErrUTF8, region.ErrNUL, region.ErrControl, region.ErrSlash,
	region.ErrDotDot, region.ErrPipe, region.ErrEquals, region.ErrAt, region.ErrSegment, region.ErrTooDeep,
	region.ErrRange, region.ErrReserved, region.ErrClockRange, region.ErrSyntax,
}

func TestSentinelsAreToldApart(t *testing.T) {
	texts := map[string]bool{}
	for i, a := range sentinels {
		for j, b := range sentinels {
			if got, want := errors.Is(a, b), i == j; got != want {
				t.Errorf("errors.Is(%q, %q) = %v, want %v", a, b, got, want)
			}
		}
		if !strings.HasPrefix(a.Error(), "spillway/region: ") {
			t.Errorf("%q doesn't say where it is from", a)
		}
		texts[a.Error()] = true
	}
	if len(texts) != len(sentinels) {
		t.Errorf("%d sentinels have %d texts", len(sentinels), len(texts))
	}
}

// What an error says is for people; this is here so that a change of it is seen, and read.
func TestErrorsSayWhatWhereAndWhatToDo(t *testing.T) {
	parse := func(s string) error { _, err := region.Parse(s); return err }
	kind := func(s string) error { _, err := region.ParseKind(s); return err }
	position := func(s string) error { _, err := region.ParsePosition(s); return err }
	unescape := func(s string) error { _, err := region.Unescape(s); return err }
	newKind := func(category uint8, typ uint16) error { _, err := region.NewKind(category, typ); return err }
	cases := []struct {
		err  error
		want string
	}{
		{errorOf(region.NewCoordinate("", "s")), "spillway/region: entity: the name is empty; it needs a byte at least"},
		{errorOf(region.NewCoordinate("a:b", "a\x1bc")), `spillway/region: scope "a\x1bc", byte 1 (0x1b): the name holds a control character; Escape writes such bytes as %XX`},
		{errorOf(region.NewCoordinate("a::b", "s")), `spillway/region: entity "a::b", byte 2: a segment of the name is empty; colons stand between segments only`},
		{newKind(0x10, 0), "spillway/region: out of range: category 0x10 of a kind; want at most 0xf"},
		{newKind(1, 0x1000), "spillway/region: out of range: type 0x1000 of a kind; want at most 0xfff"},
		{newKind(0xD, 1), "spillway/region: the category is reserved: category 0xd of a kind; want another than 0x0 and 0xd"},
		{kind("0x1"), `spillway/region: kind "0x1", byte 3: want ":"`},
		{kind("0x1:0x1000"), `spillway/region: kind "0x1:0x1000", byte 6: out of range, want a number up to 0xfff`},
		{position("1:2:3@4"), `spillway/region: position "1:2:3@4", byte 7: want "."`},
		{unescape("50%"), `spillway/region: escaped name "50%", byte 3: want two hexadecimal digits after the percent sign, which is itself escaped as %25`},
		{parse("kind=0x1:0xA"), `spillway/region: region "kind=0x1:0xA", byte 5: want 0x1:0x00a, as String writes it`},
		{parse("lane=4294967296"), `spillway/region: region "lane=4294967296", byte 5: out of range, want a number up to 4294967295`},
		{parse("lane=1,clock=3"), `spillway/region: region "lane=1,clock=3", byte 6: want "|"`},
		{region.Region{Kind: region.InCategory(16)}.Validate(), "spillway/region: out of range: category 0x10 of a region; want at most 0xf"},
		{region.Region{Clock: region.Clocks(9, 3)}.Validate(), "spillway/region: the clock range ends before it begins: 9..3; want from up to to"},
	}
	for _, c := range cases {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
		}
	}
}

// An error shows what is around the fault, and is short, however long the input.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("ä", 1<<19)
	_, unescaped := region.Unescape(long + "%x" + long)
	_, parsed := region.Parse("entity=" + long[:1000] + "|lane=x" + long)
	_, kind := region.ParseKind("0x" + long)
	_, position := region.ParsePosition("1:2:" + strings.Repeat("9", 1<<20))
	cases := []struct {
		name  string
		err   error
		shows string
	}{
		{"name too long", errorOf(region.NewCoordinate(long, "s")), "ä"},
		{"name with a late fault", errorOf(region.NewCoordinate("e", long[:1000]+"/x")), "ä/x"},
		{"name with an early fault", errorOf(region.NewCoordinate("e", "x/"+long[:1000])), "x/ä"},
		{"name of continuation bytes", errorOf(region.NewCoordinate("e", strings.Repeat("\x80", 1000))), `\x80`},
		{"escaped name", unescaped, "ä%xä"},
		{"region", parsed, "lane=xä"},
		{"kind", kind, "0xä"},
		{"position", position, "1:2:9"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := c.err.Error()
			if len(got) > 400 || !strings.Contains(got, c.shows) {
				t.Errorf("got %d bytes %q, want at most 400, and %q among them", len(got), got, c.shows)
			}
			if strings.Contains(got, `\xc3`) || strings.Contains(got, `\xa4`) || !utf8.ValidString(got) {
				t.Errorf("%q cuts a character in two", got)
			}
		})
	}
}
