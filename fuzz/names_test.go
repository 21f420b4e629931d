package fuzz_test

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

var dotRuns = regexp.MustCompile(`\.{2,}`)

const controls = "\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

// nameFault is a second opinion of what is wrong with a name. It looks for each fault by itself, through the
// whole name, and returns the first; nil where there is none.
func nameFault(name string, entity bool) (offset int, why error) {
	if name == "" {
		return 0, region.ErrEmpty
	}
	if len(name) > 1024 {
		return 1024, region.ErrTooLong
	}
	offset = len(name) + 1
	found := func(at int, err error) {
		if at >= 0 && at < offset {
			offset, why = at, err
		}
	}
	valid := strings.ToValidUTF8(name, "\n") // a byte that isn't valid becomes one that surely differs from it
	for i := range len(name) {
		if name[i] != valid[i] {
			found(i, region.ErrUTF8)
			break
		}
	}
	found(strings.IndexByte(name, 0), region.ErrNUL)
	found(strings.IndexAny(name, controls), region.ErrControl)
	found(strings.IndexByte(name, '/'), region.ErrSlash)
	found(strings.Index(name, ".."), region.ErrDotDot)
	found(strings.IndexByte(name, '|'), region.ErrPipe)
	found(strings.IndexByte(name, '='), region.ErrEquals)
	if !entity {
		found(strings.IndexByte(name, '@'), region.ErrAt)
		return offset, why
	}
	at := 0
	for i, segment := range strings.Split(name, ":") {
		if i == 64 {
			found(at-1, region.ErrTooDeep)
		}
		if segment == "" {
			found(at, region.ErrSegment)
		}
		at += len(segment) + 1
	}
	return offset, why
}

// FuzzNames takes any two strings as the names of a Coordinate and of a Region. What is refused, where and
// why is what nameFault finds; Escape and Unescape are inverses, whose results are what each promises.
func FuzzNames(f *testing.F) {
	for _, s := range []string{
		"", "a", ":", "a:b", "a::b", ":a", "a:", "a@b", ".", "..", "a...b", "a/b", "a|b=c", "\x00", "\x1f\x7f",
		"%2F", "%", "%4", "%zz", "ä:€:😀", "\uFFFD", "\xff", "\xe2\x82", "\xed\xa0\x80", "\xc0\xaf", "\u0085\u2028",
		strings.Repeat("a:", 63) + "a", strings.Repeat("a:", 64) + "a", strings.Repeat("a:", 63), strings.Repeat("a", 1024), strings.Repeat("ä", 513),
	} {
		f.Add(s, s)
		f.Add("alice", s)
	}
	f.Fuzz(func(t *testing.T, entity, scope string) {
		c, err := region.NewCoordinate(entity, scope)
		field, name := "entity", entity
		offset, why := nameFault(entity, true)
		if why == nil {
			field, name = "scope", scope
			offset, why = nameFault(scope, false)
		}
		compareNameError(t, err, field, name, offset, why)
		if why == nil && (c.Entity() != entity || c.Scope() != scope || c.String() != entity+"@"+scope) {
			t.Errorf("NewCoordinate(%q, %q) = %q of %q and %q", entity, scope, c, c.Entity(), c.Scope())
		}
		if entity != "" && scope != "" {
			compareNameError(t, region.Region{Entity: entity, Scope: scope}.Validate(), field, name, offset, why)
		}
		checkEscape(t, entity)
		checkEscape(t, scope)
	})
}

func compareNameError(t *testing.T, err error, field, name string, offset int, why error) {
	t.Helper()
	if why == nil {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var e *region.NameError
	if !errors.As(err, &e) || e.Field != field || e.Offset != offset || e.Err != why {
		t.Errorf("got %v\nwant %s %q, byte %d: %v", err, field, name, offset, why)
		return
	}
	if len(e.Error()) > 512 || len(e.Name) > 128 {
		t.Errorf("an error of %d bytes, with %d of the name", len(e.Error()), len(e.Name))
	}
}

func checkEscape(t *testing.T, s string) {
	t.Helper()
	escaped := region.Escape(s)
	if got, err := region.Unescape(escaped); got != s || err != nil {
		t.Errorf("Unescape(%q) = %q, %v, want %q", escaped, got, err, s)
	}
	if _, why := nameFault(escaped, false); why != nil && why != region.ErrEmpty && why != region.ErrTooLong {
		t.Errorf("Escape(%q) = %q is no scope: %v", s, escaped, why)
	}
	if strings.Count(escaped, ":") != strings.Count(s, ":") {
		t.Errorf("Escape(%q) = %q, want its colons to stay", s, escaped)
	}
	// Nothing is escaped without need: each %XX stands for a byte that a scope refuses.
	for i, part := range strings.Split(escaped, "%") {
		if i == 0 {
			continue
		}
		b, err := region.Unescape("%" + part[:2])
		if err != nil || strings.ToUpper(part[:2]) != part[:2] {
			t.Fatalf("Escape(%q) = %q: %%%s is not two upper-case digits: %v", s, escaped, part[:2], err)
		}
		if b == "." {
			b = ".." // refused only in a run
		}
		if _, why := nameFault(b, false); why == nil && b != "%" {
			t.Errorf("Escape(%q) = %q escapes %q, which a scope may hold", s, escaped, b)
		}
	}
	if got, want := strings.Count(escaped, "%2E"), len(strings.Join(dotRuns.FindAllString(s, -1), "")); got != want {
		t.Errorf("Escape(%q) = %q escapes %d dots, want the %d that are not alone", s, escaped, got, want)
	}
	got, err := region.Unescape(s)
	want, wantErr := url.PathUnescape(s)
	if got != want || (err == nil) != (wantErr == nil) {
		t.Errorf("Unescape(%q) = %q, %v; url.PathUnescape says %q, %v", s, got, err, want, wantErr)
	}
	if err != nil && !errors.Is(err, region.ErrSyntax) {
		t.Errorf("Unescape(%q): got %v, want ErrSyntax", s, err)
	}
}
