package fuzz_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/region"
)

// regionText is the whole language of canonical texts, but for what a name may hold and how big a number may be.
var regionText = regexp.MustCompile(`^(?s:entity=(?P<entity>[^|]+)(?:\||$))?(?s:scope=(?P<scope>[^|]+)(?:\||$))?` +
	`(?:kind=0x(?P<kc>[0-9a-f]):0x(?P<kt>[0-9a-f]{3})(?:\||$)|category=0x(?P<category>[0-9a-f])(?:\||$))?` +
	`(?:lane=(?P<lane>0|[1-9][0-9]*)(?:\||$))?(?:clock=(?P<from>0|[1-9][0-9]*)\.\.(?P<to>0|[1-9][0-9]*))?$`)

// readRegion is a second opinion of what Region a text stands for; false where it stands for none.
func readRegion(s string) (r region.Region, ok bool) {
	if s == "*" {
		return r, true
	}
	m := regionText.FindStringSubmatch(s)
	if m == nil || s == "" || strings.HasSuffix(s, "|") {
		return r, false
	}
	part := func(name string) string { return m[regionText.SubexpIndex(name)] }
	ok = true
	number := func(name string, base int) uint32 {
		n, err := strconv.ParseUint(part(name), base, 32)
		ok = ok && err == nil
		return uint32(n)
	}
	if r.Entity = part("entity"); r.Entity != "" {
		_, why := nameFault(r.Entity, true)
		ok = ok && why == nil
	}
	if r.Scope = part("scope"); r.Scope != "" {
		_, why := nameFault(r.Scope, false)
		ok = ok && why == nil
	}
	switch {
	case part("kc") != "":
		r.Kind = region.OneKind(region.Kind(number("kc", 16)<<12 | number("kt", 16)))
	case part("category") != "":
		r.Kind = region.InCategory(uint8(number("category", 16)))
	}
	if part("lane") != "" {
		r.Lane = region.OneLane(number("lane", 10))
	}
	if part("from") != "" {
		from, to := number("from", 10), number("to", 10)
		r.Clock = region.Clocks(from, to)
		ok = ok && from <= to
	}
	return r, ok
}

// askedFrom makes a Region of anything; fields says which of its fields are set.
func askedFrom(fields uint8, entity, scope string, kind uint16, lane, from, to uint32) (r region.Region) {
	r.Entity, r.Scope = entity, scope
	switch fields & 3 {
	case 1:
		r.Kind = region.OneKind(region.Kind(kind))
	case 2:
		r.Kind = region.InCategory(uint8(kind))
	}
	if fields&4 != 0 {
		r.Lane = region.OneLane(lane)
	}
	if fields&8 != 0 {
		r.Clock = region.Clocks(from, to)
	}
	return r
}

// mayAsk is a second opinion of whether askedFrom's Region is valid.
func mayAsk(fields uint8, entity, scope string, kind uint16, from, to uint32) bool {
	_, why := nameFault(entity, true)
	_, whyScope := nameFault(scope, false)
	return (entity == "" || why == nil) && (scope == "" || whyScope == nil) &&
		(fields&3 != 2 || kind%0x100 < 16) && (fields&8 == 0 || from <= to)
}

// asks is a second opinion of whether askedFrom's Region matches p.
func asks(fields uint8, entity, scope string, kind uint16, lane uint32, p region.Point) bool {
	inside := entity == "" || strings.HasPrefix(p.Entity+":", entity+":")
	inScope := scope == "" || strings.Compare(scope, p.Scope) == 0
	ofKind := fields&3 == 0 || fields&3 == 3 ||
		fields&3 == 1 && uint16(p.Kind) == kind ||
		fields&3 == 2 && uint16(p.Kind)/0x1000 == kind%0x100
	return inside && inScope && ofKind && (fields&4 == 0 || p.Lane == lane)
}

// FuzzRegionText takes any text as a Region's, and any values as a Region's fields. Parse reads what the
// regular expression reads; a Region is valid if its own text gives it back; and Match says of a Point near
// it what asks does.
func FuzzRegionText(f *testing.F) {
	for i, s := range []string{
		"*", "entity=alice", "scope=shop", "kind=0x1:0x00a", "category=0xd", "lane=0", "lane=4294967295", "clock=0..0", "clock=3..9",
		"entity=alice:cart|scope=shop|kind=0x1:0x00a|lane=7|clock=3..9", "entity=ä|category=0x0|clock=0..4294967295",
		"", "|", "*|", "entity=", "lane=1|", "lane=01", "lane=4294967296", "clock=9..3", "clock=3", "category=0x10", "kind=0x1:0xA",
		"scope=a|entity=b", "lane=1|lane=1", "entity=a/b", "scope=a@b", "entity=a=b", "entity=*", "scope=:|lane=3", "entity=a\nb",
	} {
		f.Add(s, uint8(i), "alice", "shop", uint16(i)<<12|uint16(i), uint32(i), uint32(3), uint32(9), ":x")
		f.Add("*", uint8(15), s, s, uint16(i), uint32(i), uint32(9), uint32(i), s)
		f.Add("*", uint8(i)<<4|uint8(i)>>2, "alice", "shop", uint16(i)<<12|uint16(i), uint32(i), uint32(i), uint32(9), []string{"", "2", ":", ":x"}[i%4])
	}
	f.Add("*", uint8(2), "alice", "shop", uint16(16), uint32(0), uint32(0), uint32(0), "")
	f.Add("*", uint8(4|64), "alice", "shop", uint16(0x1001), uint32(0), uint32(1), uint32(0), "")
	f.Fuzz(func(t *testing.T, s string, fields uint8, entity, scope string, kind uint16, lane, from, to uint32, rest string) {
		got, err := region.Parse(s)
		want, ok := readRegion(s)
		switch {
		case ok && (got != want || err != nil || got.String() != s):
			t.Errorf("Parse(%q) = %v, %v, want %v", s, got, err, want)
		case !ok && (got != region.Region{} || err == nil):
			t.Errorf("Parse(%q) = %v, %v, want an error alone", s, got, err)
		case !ok:
			var text *region.TextError
			var name *region.NameError
			if !errors.As(err, &text) && !errors.As(err, &name) && !errors.Is(err, region.ErrClockRange) {
				t.Errorf("Parse(%q): got %v, which says not where", s, err)
			}
			if len(err.Error()) > 512 {
				t.Errorf("Parse of %d bytes: an error of %d", len(s), len(err.Error()))
			}
		}

		r := askedFrom(fields, entity, scope, kind, lane, from, to)
		valid := mayAsk(fields, entity, scope, kind, from, to)
		if err := r.Validate(); valid != (err == nil) {
			t.Errorf("%q.Validate() = %v, want it valid: %v", r, err, valid)
		}
		if back, err := region.Parse(r.String()); valid != (back == r && err == nil) {
			t.Errorf("%q: Parse of its text is %v, %v, want it valid: %v", r, back, err, valid)
		}
		if text, err := r.MarshalText(); valid != (err == nil) || err == nil && string(text) != r.String() {
			t.Errorf("%q.MarshalText() = %q, %v, want it valid: %v", r, text, err, valid)
		}
		if r.Hash() != xxhash.Sum64String(r.String()) {
			t.Errorf("%q.Hash() = %#x", r, r.Hash())
		}
		p := region.Point{Entity: entity + rest, Scope: scope, Kind: region.Kind(kind), Lane: lane}
		if fields&16 != 0 {
			p.Scope += rest
		}
		if fields&32 != 0 {
			p.Kind ^= region.Kind(from)
		}
		if fields&64 != 0 {
			p.Lane ^= from
		}
		if got, want := r.Match(p), asks(fields, entity, scope, kind, lane, p); got != want {
			t.Errorf("%q.Match(%+v) = %v, want %v", r, p, got, want)
		}
	})
}
