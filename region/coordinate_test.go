package region_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/region"
)

// nameFaults are names that are refused, with the first byte at fault. field is empty where an entity and a
// scope are refused alike.
var nameFaults = []struct {
	name   string
	field  string
	text   string
	offset int
	why    error
}{
	{name: "empty", why: region.ErrEmpty},
	{name: "one byte too many", text: strings.Repeat("n", 1025), offset: 1024, why: region.ErrTooLong},
	{name: "too long in bytes, not in characters", text: strings.Repeat("ä", 513), offset: 1024, why: region.ErrTooLong},
	{name: "lone continuation byte", text: "ab\x80", offset: 2, why: region.ErrUTF8},
	{name: "character cut short at the end", text: "ab\xe2\x82", offset: 2, why: region.ErrUTF8},
	{name: "character cut short inside", text: "ab\xe2\x82c", offset: 2, why: region.ErrUTF8},
	{name: "overlong slash", text: "a\xc0\xaf", offset: 1, why: region.ErrUTF8},
	{name: "surrogate", text: "a\xed\xa0\x80", offset: 1, why: region.ErrUTF8},
	{name: "beyond the last character", text: "\xf4\x90\x80\x80", why: region.ErrUTF8},
	{name: "invalid after the replacement character", text: "\uFFFD\xff", offset: 3, why: region.ErrUTF8},
	{name: "NUL", text: "a\x00", offset: 1, why: region.ErrNUL},
	{name: "NUL first", text: "\x00a", why: region.ErrNUL},
	{name: "lowest control character", text: "a\x01b", offset: 1, why: region.ErrControl},
	{name: "tab", text: "a\tb", offset: 1, why: region.ErrControl},
	{name: "new line", text: "a\n", offset: 1, why: region.ErrControl},
	{name: "highest control character", text: "a\x1fb", offset: 1, why: region.ErrControl},
	{name: "DEL", text: "ab\x7f", offset: 2, why: region.ErrControl},
	{name: "slash", text: "a/b", offset: 1, why: region.ErrSlash},
	{name: "slash alone", text: "/", why: region.ErrSlash},
	{name: "two dots", text: "..", why: region.ErrDotDot},
	{name: "two dots inside", text: "a..b", offset: 1, why: region.ErrDotDot},
	{name: "two dots at the end", text: "a..", offset: 1, why: region.ErrDotDot},
	{name: "three dots", text: "a.b...", offset: 3, why: region.ErrDotDot},
	{name: "bar", text: "a|b", offset: 1, why: region.ErrPipe},
	{name: "equals sign", text: "=", why: region.ErrEquals},

	{name: "at sign", field: "scope", text: "a@b", offset: 1, why: region.ErrAt},
	{name: "at sign first", field: "scope", text: "@", why: region.ErrAt},

	{name: "colon alone", field: "entity", text: ":", why: region.ErrSegment},
	{name: "first segment empty", field: "entity", text: ":a", why: region.ErrSegment},
	{name: "a segment empty", field: "entity", text: "a::b", offset: 2, why: region.ErrSegment},
	{name: "last segment empty", field: "entity", text: "a:b:", offset: 4, why: region.ErrSegment},
	{name: "65 segments", field: "entity", text: deep(65), offset: 2*64 - 1, why: region.ErrTooDeep},
	{name: "64 segments and an empty one", field: "entity", text: deep(64) + ":", offset: 2*64 - 1, why: region.ErrTooDeep},
	{name: "the last of 64 segments empty", field: "entity", text: deep(63) + ":", offset: 2 * 63, why: region.ErrSegment},

	// Of several, the first in the name counts; but its length is looked at before its bytes.
	{name: "slash before bar", text: "a/|", offset: 1, why: region.ErrSlash},
	{name: "bar before slash", text: "a|/", offset: 1, why: region.ErrPipe},
	{name: "bar before two dots", text: "|..", why: region.ErrPipe},
	{name: "NUL before invalid", text: "\x00\xff", why: region.ErrNUL},
	{name: "invalid before NUL", text: "\xff\x00", why: region.ErrUTF8},
	{name: "long and full of faults", text: strings.Repeat("/", 1025), offset: 1024, why: region.ErrTooLong},
	{name: "at sign before slash", field: "scope", text: "@/", why: region.ErrAt},
	{name: "empty segment before slash", field: "entity", text: "a::/", offset: 2, why: region.ErrSegment},
	{name: "slash before empty segment", field: "entity", text: "a/::", offset: 1, why: region.ErrSlash},
	{name: "slash in the 65th segment", field: "entity", text: deep(64) + ":/", offset: 2*64 - 1, why: region.ErrTooDeep},
	{name: "slash in the 64th segment of 65", field: "entity", text: deep(63) + ":/:s", offset: 2 * 63, why: region.ErrSlash},
}

func TestNewCoordinateRefuses(t *testing.T) {
	for _, c := range nameFaults {
		for _, field := range []string{"entity", "scope"} {
			if c.field != "" && c.field != field {
				continue
			}
			t.Run(field+" "+c.name, func(t *testing.T) {
				names := map[string]string{"entity": "alice", "scope": "shop"}
				names[field] = c.text
				got, err := region.NewCoordinate(names["entity"], names["scope"])
				wantNameError(t, err, field, c.text, c.offset, c.why)
				if got != (region.Coordinate{}) {
					t.Errorf("NewCoordinate(%q, %q) = %q beside its error, want no Coordinate", names["entity"], names["scope"], got)
				}
			})
		}
	}
}

// wantNameError fails t where err is not the refusal of the name text of that field for the byte at offset.
func wantNameError(t *testing.T, err error, field, text string, offset int, why error) {
	t.Helper()
	var e *region.NameError
	if !errors.As(err, &e) {
		t.Fatalf("%s %q: got error %v, want a *NameError", field, text, err)
	}
	var b byte
	if offset < len(text) {
		b = text[offset]
	}
	if e.Field != field || e.Offset != offset || e.Byte != b || e.Err != why {
		t.Errorf("%s %q: got fault of %s at %d (%#02x): %v, want at %d (%#02x): %v", field, text, e.Field, e.Offset, e.Byte, e.Err, offset, b, why)
	}
	for _, sentinel := range sentinels {
		if got, want := errors.Is(err, sentinel), sentinel == why; got != want {
			t.Errorf("%s %q: errors.Is(err, %q) = %v, want %v", field, text, sentinel, got, want)
		}
	}
}

func TestNewCoordinateRefusesTheEntityFirst(t *testing.T) {
	_, err := region.NewCoordinate("a/b", "")
	wantNameError(t, err, "entity", "a/b", 1, region.ErrSlash)
}

func TestNewCoordinateTakes(t *testing.T) {
	cases := []struct{ name, entity, scope, text string }{
		{"short", "a", "b", "a@b"},
		{"segments", "alice:cart:3", "shop", "alice:cart:3@shop"},
		{"longest", strings.Repeat("n", 1024), strings.Repeat("ä", 512), strings.Repeat("n", 1024) + "@" + strings.Repeat("ä", 512)},
		{"64 segments", deep(64), "b", deep(64) + "@b"},
		{"at signs in an entity", "@a@b@", "shop", "@a@b@@shop"},
		{"colons in a scope", "a", "::b:", "a@::b:"},
		{"a scope that is only colons", "a", strings.Repeat(":", 1024), "a@" + strings.Repeat(":", 1024)},
		{"single dots", ".a.b.", ".", ".a.b.@."},
		{"dots on either side of a colon", "a.:.b", "a.:.b", "a.:.b@a.:.b"},
		{"blanks and punctuation", " !\"#$%&'()*+,-;<>?[\\]^_`{}~", " ", " !\"#$%&'()*+,-;<>?[\\]^_`{}~@ "},
		{"replacement character", "\uFFFD", "\uFFFD", "\uFFFD@\uFFFD"},
		{"control characters beyond ASCII", "\u0080\u009f", "\u2028", "\u0080\u009f@\u2028"},
		{"first and last character", "\U0010FFFF", " ", "\U0010FFFF@ "},
		{"full-width slash", "a／b", "a＝b", "a／b@a＝b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := region.NewCoordinate(c.entity, c.scope)
			if err != nil {
				t.Fatalf("NewCoordinate(%q, %q): got %v, want no error", c.entity, c.scope, err)
			}
			if got.Entity() != c.entity || got.Scope() != c.scope || got.String() != c.text {
				t.Errorf("got %q and %q, text %q, want %q and %q, %q", got.Entity(), got.Scope(), got, c.entity, c.scope, c.text)
			}
		})
	}
}

// Where an entity ends and a scope begins can always be told from the text.
func TestCoordinateTextDividesAtTheLastAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entity := rapid.StringMatching(`[a@.]{0,3}[a@]`).Filter(func(s string) bool { return !strings.Contains(s, "..") }).Draw(t, "entity")
		scope := rapid.StringMatching(`[a:]{1,4}`).Draw(t, "scope")
		c, err := region.NewCoordinate(entity, scope)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.LastIndexByte(c.String(), '@')
		if got := c.String(); got[:at] != entity || got[at+1:] != scope {
			t.Errorf("%q divides into %q and %q, want %q and %q", got, got[:at], got[at+1:], entity, scope)
		}
	})
}

// A fault is found wherever it lies in a name that is good up to there.
func TestNewCoordinateFindsAFaultAnywhere(t *testing.T) {
	faults := map[string]error{
		"\xff": region.ErrUTF8, "\x00": region.ErrNUL, "\x07": region.ErrControl, "\x7f": region.ErrControl,
		"/": region.ErrSlash, "..": region.ErrDotDot, "|": region.ErrPipe, "=": region.ErrEquals,
	}
	texts := []string{"\xff", "\x00", "\x07", "\x7f", "/", "..", "|", "="}
	rapid.Check(t, func(t *rapid.T) {
		good := rapid.StringMatching(`[a-zäß€😀 %-]{0,200}`).Draw(t, "good")
		bad := rapid.SampledFrom(texts).Draw(t, "bad")
		rest := rapid.StringMatching(`[a-z/|=]{0,20}`).Draw(t, "rest")
		name := good + bad + rest
		for field, err := range map[string]error{"entity": errorOf(region.NewCoordinate(name, "s")), "scope": errorOf(region.NewCoordinate("e", name))} {
			var e *region.NameError
			if !errors.As(err, &e) || e.Field != field || e.Offset != len(good) || e.Err != faults[bad] {
				t.Errorf("%s %q: got %v, want %v at byte %d", field, name, err, faults[bad], len(good))
			}
		}
	})
}

func errorOf(_ region.Coordinate, err error) error { return err }

func TestNewCoordinateAllocatesNothing(t *testing.T) {
	entity, scope := deep(64), strings.Repeat("ä", 512)
	if n := testing.AllocsPerRun(100, func() { _, _ = region.NewCoordinate(entity, scope) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
