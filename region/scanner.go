package region

import (
	"fmt"
	"strconv"
	"strings"
)

// A scanner reads a text from front to back. Its first error stays, and whatever is read after that means
// nothing: who uses one looks at err once, at the end.
type scanner struct {
	what string // what the text should be, for errors
	text string
	pos  int
	err  error
}

// fail records that want should stand at offset.
func (t *scanner) fail(why error, offset int, want string) {
	if t.err == nil {
		t.err = &TextError{What: t.what, Text: excerpt(t.text, offset), Offset: offset, Want: want, Err: why}
	}
}

// literal reads s.
func (t *scanner) literal(s string) {
	if !strings.HasPrefix(t.text[t.pos:], s) {
		t.fail(ErrSyntax, t.pos, strconv.Quote(s))
		return
	}
	t.pos += len(s)
}

// end is where the text should end.
func (t *scanner) end() {
	if t.pos < len(t.text) {
		t.fail(ErrSyntax, t.pos, "the end")
	}
}

// run reads the bytes that ok is true for.
func (t *scanner) run(ok func(byte) bool) string {
	start := t.pos
	for t.pos < len(t.text) && ok(t.text[t.pos]) {
		t.pos++
	}
	return t.text[start:t.pos]
}

// decimal reads a number up to limit, without leading zeros.
func (t *scanner) decimal(limit uint64) uint64 {
	start := t.pos
	digits := t.run(func(b byte) bool { return '0' <= b && b <= '9' })
	if digits == "" || digits[0] == '0' && len(digits) > 1 {
		t.fail(ErrSyntax, start, "a decimal number without leading zeros")
		return 0
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > limit {
		t.fail(ErrRange, start, fmt.Sprintf("a number up to %d", limit))
		return 0
	}
	return n
}

// hex reads 0x and up to width hexadecimal digits of either case, one at least.
func (t *scanner) hex(width int) uint64 {
	if rest := t.text[t.pos:]; len(rest) < 2 || rest[0] != '0' || rest[1]|0x20 != 'x' {
		t.fail(ErrSyntax, t.pos, "0x and hexadecimal digits")
		return 0
	}
	t.pos += 2
	start := t.pos
	digits := t.run(isHex)
	switch {
	case digits == "":
		t.fail(ErrSyntax, start, "a hexadecimal digit")
	case len(strings.TrimLeft(digits, "0")) > width:
		t.fail(ErrRange, start, "a number up to 0x"+strings.Repeat("f", width))
	case len(digits) > width:
		t.fail(ErrSyntax, start, fmt.Sprintf("no more digits than %d", width))
	}
	if t.err != nil {
		return 0
	}
	var n uint64
	for i := range len(digits) {
		n = n<<4 | uint64(nibble(digits[i]))
	}
	return n
}

// kind reads a Kind as ParseKind does.
func (t *scanner) kind() Kind {
	category := t.hex(1)
	t.literal(":")
	return Kind(category<<12 | t.hex(3))
}

// name reads the name of a field, "entity" or "scope", up to the next bar.
func (t *scanner) name(field string) string {
	name, _, _ := strings.Cut(t.text[t.pos:], "|")
	if err := checkName(field, name); err != nil && t.err == nil {
		t.err = err
	}
	t.pos += len(name)
	return name
}
