package region

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the canonical text, one for each Region: "*" for the zero Region, else the fields that are
// set, in the order entity, scope, kind or category, lane, clock:
//
//	entity=alice:cart|scope=shop|kind=0x1:0x00a|lane=7|clock=3..9
func (r Region) String() string {
	if r == (Region{}) {
		return "*"
	}
	var b strings.Builder
	field := func(name string) {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(name)
	}
	if r.Entity != "" {
		field("entity=")
		b.WriteString(r.Entity)
	}
	if r.Scope != "" {
		field("scope=")
		b.WriteString(r.Scope)
	}
	switch r.Kind.mode {
	case oneKind:
		field("kind=")
		b.WriteString(Kind(r.Kind.value).String())
	case inCategory:
		field("category=0x")
		b.WriteString(strconv.FormatUint(uint64(r.Kind.value), 16))
	}
	if r.Lane.set {
		field("lane=")
		b.WriteString(strconv.FormatUint(uint64(r.Lane.lane), 10))
	}
	if r.Clock.set {
		field("clock=")
		fmt.Fprintf(&b, "%d..%d", r.Clock.from, r.Clock.to)
	}
	return b.String()
}

// Parse is the inverse of String: it takes canonical text of a valid Region, and nothing else. An error is
// a *SyntaxError, or what Validate says of the Region.
func Parse(s string) (Region, error) {
	if s == "*" {
		return Region{}, nil
	}
	t := scanner{text: s, what: "region"}
	var r Region
	if s == "" {
		t.fail("\"*\" or a field, like scope=shop")
	}
	last := -1
	for t.err == nil && (t.pos < len(s) || last < 0 || s[t.pos-1] == '|') {
		last = t.field(&r, last)
	}
	if t.err != nil {
		return Region{}, t.err
	}
	if err := r.Validate(); err != nil {
		return Region{}, err
	}
	return r, nil
}

// fields are a region's, in the order of its text; kind and category share a place.
var fields = []struct {
	name  string
	place int
}{{"entity", 0}, {"scope", 1}, {"kind", 2}, {"category", 2}, {"lane", 3}, {"clock", 4}}

// field reads one field and the bar behind it, and returns its place, which must be after last.
func (t *scanner) field(r *Region, last int) int {
	for _, f := range fields {
		if !strings.HasPrefix(t.text[t.pos:], f.name+"=") {
			continue
		}
		if f.place <= last {
			t.fail("each field once, in the order entity, scope, kind or category, lane, clock")
			return last
		}
		t.pos += len(f.name) + 1
		t.value(r, f.name)
		return f.place
	}
	t.fail("one of entity=, scope=, kind=, category=, lane=, clock=")
	return last
}

// value reads the value of a field, up to the next bar and over it.
func (t *scanner) value(r *Region, name string) {
	start := t.pos
	text, _, more := strings.Cut(t.text[start:], "|")
	end := start + len(text)
	switch name {
	case "entity", "scope":
		if text == "" {
			t.fail("a name; leave out " + name + "= for any")
			return
		}
		if name == "entity" {
			r.Entity = text
		} else {
			r.Scope = text
		}
		t.pos = end
	case "kind":
		k, err := ParseKind(text)
		if err != nil || k.String() != text {
			t.fail("a kind of one and three lower-case digits, like 0x1:0x00a")
			return
		}
		r.Kind = OneKind(k)
		t.pos = end
	case "category":
		c, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 8)
		if err != nil || "0x"+strconv.FormatUint(c, 16) != text {
			t.fail("a category of one lower-case digit, like 0x1")
			return
		}
		r.Kind = InCategory(uint8(c))
		t.pos = end
	case "lane":
		r.Lane = OneLane(uint32(t.numberTo(32, end)))
	case "clock":
		from, to, ok := strings.Cut(text, "..")
		if !ok {
			t.pos = end
			t.fail("two numbers, like 3..9")
			return
		}
		a := t.numberTo(32, start+len(from))
		t.pos = end - len(to)
		r.Clock = Clocks(uint32(a), uint32(t.numberTo(32, end)))
	}
	if t.err == nil && more {
		t.pos = end + 1
	}
}

// A scanner reads a text from the front; its first error stays.
type scanner struct {
	text string
	what string
	pos  int
	err  error
}

func (t *scanner) fail(want string) {
	if t.err == nil {
		t.err = &SyntaxError{Text: clip(t.text), Offset: t.pos, Want: want}
	}
}

// number reads a decimal number of that many bits and the separator behind it; "" is the end.
func (t *scanner) number(bits int, separator string) uint64 {
	if t.err != nil {
		return 0
	}
	end := len(t.text)
	if separator != "" {
		n := strings.Index(t.text[t.pos:], separator)
		if n < 0 {
			t.fail(strconv.Quote(separator) + " somewhere behind this")
			return 0
		}
		end = t.pos + n
	}
	n := t.numberTo(bits, end)
	t.pos = end + len(separator)
	return n
}

// numberTo reads a decimal number, without leading zeros, that ends at end.
func (t *scanner) numberTo(bits, end int) uint64 {
	if t.err != nil {
		return 0
	}
	text := t.text[t.pos:end]
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' || i == 0 && text[0] == '0' && len(text) > 1 {
			t.pos += i
			t.fail("a decimal number without leading zeros")
			return 0
		}
	}
	if text == "" {
		t.fail("a decimal number")
		return 0
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		t.err = fmt.Errorf("spillway/region: %s %q, byte %d: %w: a number of %d bits", t.what, clip(t.text), t.pos, ErrRange, bits)
		return 0
	}
	t.pos = end
	return n
}

// MarshalText returns String.
func (r Region) MarshalText() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return []byte(r.String()), nil
}

// UnmarshalText is Parse.
func (r *Region) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}
