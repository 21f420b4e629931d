package region_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/region"
)

func TestEscape(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"nothing to do", "a b:c-ä.€~\\", "a b:c-ä.€~\\"},
		{"path", "src/a.go", "src%2Fa.go"},
		{"all signs", "/|=@%", "%2F%7C%3D%40%25"},
		{"colons stay", "::", "::"},
		{"escaped before", "a%2Fb", "a%252Fb"},
		{"control characters", "\x00\t\n\x1f\x7f", "%00%09%0A%1F%7F"},
		{"one dot", ".a.b.", ".a.b."},
		{"two dots", "..", "%2E%2E"},
		{"three dots inside", "a...b.c", "a%2E%2E%2Eb.c"},
		{"dots apart", "..:..", "%2E%2E:%2E%2E"},
		{"lone byte", "a\xffb", "a%FFb"},
		{"character cut short", "\xe2\x82/€", "%E2%82%2F€"},
		{"overlong dots", "\xc0\xae\xc0\xae", "%C0%AE%C0%AE"},
		{"surrogate", "\xed\xa0\x80", "%ED%A0%80"},
		{"replacement character", "\uFFFD", "\uFFFD"},
		{"beyond ASCII's control characters", "\u0080\u2028", "\u0080\u2028"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := region.Escape(c.text); got != c.want {
				t.Errorf("Escape(%q) = %q, want %q", c.text, got, c.want)
			}
			if got, err := region.Unescape(c.want); got != c.text || err != nil {
				t.Errorf("Unescape(%q) = %q, %v, want %q", c.want, got, err, c.text)
			}
		})
	}
}

// anyBytes draws strings that are rarely good names: invalid ones, and runs of dots and percent signs.
var anyBytes = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{".", "..", "%", "%2", "%2F", ":", "/", "@", "|", "=", "\x00", "\x7f", "\xe2\x82", "\uFFFD", "ä", "a"}),
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
})

func TestEscapeMakesAScopeOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBytes.Draw(t, "s")
		escaped := region.Escape(s)
		if got, err := region.Unescape(escaped); got != s || err != nil {
			t.Fatalf("Unescape(%q) = %q, %v, want %q", escaped, got, err, s)
		}
		if s == "" || len(escaped) > 1024 {
			return
		}
		if _, err := region.NewCoordinate("e", escaped); err != nil {
			t.Fatalf("Escape(%q) = %q is refused: %v", s, escaped, err)
		}
		if _, err := region.NewCoordinate("e", s); err == nil && !strings.Contains(s, "%") && escaped != s {
			t.Fatalf("Escape(%q) = %q, want a good scope to stay", s, escaped)
		}
		segment := strings.ReplaceAll(escaped, ":", "%3A")
		if _, err := region.NewCoordinate(segment, "s"); err != nil && len(segment) <= 1024 {
			t.Fatalf("%q, with its colons escaped, is refused as a segment: %v", segment, err)
		}
		if got, err := region.Unescape(segment); got != s || err != nil {
			t.Fatalf("Unescape(%q) = %q, %v, want %q", segment, got, err, s)
		}
	})
}

func TestUnescapeReadsMoreThanEscapeWrites(t *testing.T) {
	for text, want := range map[string]string{
		"%2f%7c":     "/|",
		"%61%3A":     "a:",
		"%e2%82%AC":  "€",
		"a/b|..":     "a/b|..",
		"\xff%FF":    "\xff\xff",
		"%2525":      "%25",
		"a+b":        "a+b",
		"%00x%00%41": "\x00x\x00A",
	} {
		if got, err := region.Unescape(text); got != want || err != nil {
			t.Errorf("Unescape(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestUnescapeRefuses(t *testing.T) {
	cases := []struct {
		text   string
		offset int // of what should be a digit
	}{
		{"%", 1},
		{"a%", 2},
		{"%2", 2},
		{"%2g", 2},
		{"%g2", 1},
		{"%%25", 1},
		{"%2%46", 2},
		{"%25%", 4},
		{"%25%4", 5},
		{"a%25b% 1", 6},
		{"%+1", 1},
		{"%1\x00", 2},
		{"%ä", 1},
	}
	for _, c := range cases {
		got, err := region.Unescape(c.text)
		wantTextError(t, err, "escaped name", c.text, c.offset, region.ErrSyntax)
		if got != "" {
			t.Errorf("Unescape(%q) = %q beside its error, want nothing", c.text, got)
		}
	}
}

// wantTextError fails t where err is not the refusal of text, which should be a what, for the byte at offset.
func wantTextError(t *testing.T, err error, what, text string, offset int, why error) {
	t.Helper()
	var e *region.TextError
	if !errors.As(err, &e) {
		t.Fatalf("%s %q: got error %v, want a *TextError", what, text, err)
	}
	if e.What != what || e.Offset != offset || e.Want == "" || !errors.Is(err, why) {
		t.Errorf("%s %q: got %s at %d: %v, want it at %d: %v", what, text, e.What, e.Offset, err, offset, why)
	}
}

// The standard library's PathUnescape reads the same language.
func TestUnescapeAgreesWithPathUnescape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBytes.Draw(t, "s")
		got, err := region.Unescape(s)
		want, wantErr := url.PathUnescape(s)
		if got != want || (err == nil) != (wantErr == nil) {
			t.Errorf("Unescape(%q) = %q, %v, want %q, %v", s, got, err, want, wantErr)
		}
	})
}

func TestEscapeOfAGoodNameAllocatesNothing(t *testing.T) {
	name := strings.Repeat("ä.b:", 100)
	if n := testing.AllocsPerRun(100, func() {
		if s, err := region.Unescape(region.Escape(name)); s != name || err != nil {
			t.Fatal(s, err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
