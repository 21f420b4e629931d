package region

import (
	"math"
	"strconv"
	"strings"
)

// String returns the canonical text, one for each Region: "*" for the zero Region, else the fields that are
// set, in the order entity, scope, kind or category, lane, clock:
//
//	entity=alice:cart|scope=shop|kind=0x1:0x00a|lane=7|clock=3..9
//
// Names stand as they are, for a valid one holds neither a bar nor an equals sign. A Region that Validate
// refuses has a text too, which Parse refuses or reads as another Region.
func (r Region) String() string {
	if r == (Region{}) {
		return "*"
	}
	var b strings.Builder
	field := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(value)
	}
	if r.Entity != "" {
		field("entity", r.Entity)
	}
	if r.Scope != "" {
		field("scope", r.Scope)
	}
	switch r.Kind.mode {
	case oneKind:
		field("kind", Kind(r.Kind.value).String())
	case inCategory:
		field("category", "0x"+strconv.FormatUint(uint64(r.Kind.value), 16))
	}
	if r.Lane.set {
		field("lane", decimal(r.Lane.lane))
	}
	if r.Clock.set {
		field("clock", decimal(r.Clock.from)+".."+decimal(r.Clock.to))
	}
	return b.String()
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// Parse is the inverse of String: it takes the canonical text of a valid Region, and nothing else, so that
// a text that was read is the text that is written. An error is a *TextError, a *NameError, whose Offset
// counts from the name's first byte, or ErrClockRange.
func Parse(s string) (Region, error) {
	var r Region
	if s == "*" {
		return r, nil
	}
	t := scanner{what: "region", text: s}
	for last := 0; t.err == nil; {
		last = t.field(&r, last)
		if t.err != nil || t.pos == len(s) {
			break
		}
		t.literal("|")
	}
	if t.err != nil {
		return Region{}, t.err
	}
	if err := r.Validate(); err != nil {
		return Region{}, err
	}
	return r, nil
}

// field reads one field into r and returns its place in the order of fields, which must be after last.
func (t *scanner) field(r *Region, last int) (place int) {
	name, _, found := strings.Cut(t.text[t.pos:], "=")
	if found {
		switch name {
		case "entity":
			place = 1
		case "scope":
			place = 2
		case "kind", "category":
			place = 3
		case "lane":
			place = 4
		case "clock":
			place = 5
		}
	}
	switch {
	case place == 0:
		t.fail(ErrSyntax, t.pos, `one of entity=, scope=, kind=, category=, lane= and clock=, or "*" alone`)
		return last
	case place <= last:
		t.fail(ErrSyntax, t.pos, "each field once, in the order entity, scope, kind or category, lane, clock")
		return last
	}
	t.pos += len(name) + len("=")
	start := t.pos
	switch name {
	case "entity":
		r.Entity = t.name(name)
	case "scope":
		r.Scope = t.name(name)
	case "kind":
		k := t.kind()
		t.canonical(start, k.String())
		r.Kind = OneKind(k)
	case "category":
		c := t.hex(1)
		t.canonical(start, "0x"+strconv.FormatUint(c, 16))
		r.Kind = InCategory(uint8(c))
	case "lane":
		r.Lane = OneLane(uint32(t.decimal(math.MaxUint32)))
	case "clock":
		from := t.decimal(math.MaxUint32)
		t.literal("..")
		r.Clock = Clocks(uint32(from), uint32(t.decimal(math.MaxUint32)))
	}
	return place
}

// canonical fails where what was read since start is not want.
func (t *scanner) canonical(start int, want string) {
	if t.text[start:t.pos] != want {
		t.fail(ErrSyntax, start, want+", as String writes it")
	}
}

// MarshalText returns String, or what Validate refuses.
func (r Region) MarshalText() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return []byte(r.String()), nil
}

// UnmarshalText is Parse. After an error r is what it was.
func (r *Region) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}
