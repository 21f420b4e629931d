package region

import (
	"fmt"
	"strconv"
	"strings"
)

// A Kind says what sort of event it is: four bits of category above twelve of type.
type Kind uint16

// Kinds that every log knows. Categories 0x0 (system) and 0xD (effect) are reserved: NewKind refuses them.
const (
	KindData        Kind = 0x1000 // plain data
	KindDenial      Kind = 0x000F // something was refused
	KindTombstone   Kind = 0x0FFE // an entity has ended
	KindEffectError Kind = 0xD001 // an effect failed
)

const (
	categorySystem = 0x0
	categoryEffect = 0xD

	maxCategory = 0xF
	maxType     = 0xFFF
)

// NewKind puts a Kind of a user's together. A category over 0xF or a type over 0xFFF is ErrRange, a
// reserved category ErrReserved.
func NewKind(category uint8, typ uint16) (Kind, error) {
	if category > maxCategory || typ > maxType {
		return 0, fmt.Errorf("kind with category %#x, type %#x: %w: at most 0xf and 0xfff", category, typ, ErrRange)
	}
	if category == categorySystem || category == categoryEffect {
		return 0, fmt.Errorf("kind with category %#x: %w", category, ErrReserved)
	}
	return Kind(category)<<12 | Kind(typ), nil
}

// ParseKind reads what String writes: "0x1:0x00a". It takes reserved kinds, other case and fewer digits too.
func ParseKind(s string) (Kind, error) {
	category, typ, ok := strings.Cut(s, ":")
	if !ok {
		return 0, &SyntaxError{Text: clip(s), Offset: len(s), Want: "a kind like 0x1:0x00a, with a colon"}
	}
	c, err := hexDigits(s, 0, category, maxCategory)
	if err != nil {
		return 0, err
	}
	t, err := hexDigits(s, len(category)+1, typ, maxType)
	if err != nil {
		return 0, err
	}
	return Kind(c)<<12 | Kind(t), nil
}

// hexDigits reads part, which begins at byte offset of text: 0x and hexadecimal digits.
func hexDigits(text string, offset int, part string, limit uint64) (uint64, error) {
	if len(part) < 2 || part[0] != '0' || part[1]|0x20 != 'x' {
		return 0, &SyntaxError{Text: clip(text), Offset: offset, Want: "0x and hexadecimal digits"}
	}
	for i := 2; i < len(part); i++ {
		if !isHex(part[i]) {
			return 0, &SyntaxError{Text: clip(text), Offset: offset + i, Want: "a hexadecimal digit"}
		}
	}
	n, err := strconv.ParseUint(part[2:], 16, 64)
	if len(part) == 2 {
		return 0, &SyntaxError{Text: clip(text), Offset: offset + 2, Want: "a hexadecimal digit"}
	}
	if err != nil || n > limit {
		return 0, fmt.Errorf("kind %q: %w: 0x%s is over %#x", clip(text), ErrRange, clip(part[2:]), limit)
	}
	return n, nil
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

// Category returns the upper four bits.
func (k Kind) Category() uint8 { return uint8(k >> 12) }

// Type returns the lower twelve bits.
func (k Kind) Type() uint16 { return uint16(k) & maxType }

// String returns the category's one and the type's three hexadecimal digits: "0x1:0x00a".
func (k Kind) String() string { return fmt.Sprintf("0x%x:0x%03x", k.Category(), k.Type()) }
