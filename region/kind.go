package region

import "fmt"

// A Kind says what sort of event it is: four bits of category above twelve of type.
type Kind uint16

// Kinds that every log knows.
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

// NewKind puts a user's Kind together. A category over 0xF or a type over 0xFFF is ErrRange; categories 0x0
// (system) and 0xD (effect) are ErrReserved.
func NewKind(category uint8, typ uint16) (Kind, error) {
	switch {
	case category > maxCategory:
		return 0, fmt.Errorf("%w: category %#x of a kind; want at most %#x", ErrRange, category, maxCategory)
	case typ > maxType:
		return 0, fmt.Errorf("%w: type %#x of a kind; want at most %#x", ErrRange, typ, maxType)
	case category == categorySystem, category == categoryEffect:
		return 0, fmt.Errorf("%w: category %#x of a kind; want another than %#x and %#x", ErrReserved, category, categorySystem, categoryEffect)
	}
	return Kind(category)<<12 | Kind(typ), nil
}

// ParseKind reads what String writes, "0x1:0x00a", and takes upper case and fewer digits too: "0X1:0xA".
// Reserved kinds are read like any other. An error is a *TextError; more digits than a field holds are
// ErrRange, or ErrSyntax where they are leading zeros.
func ParseKind(s string) (Kind, error) {
	t := scanner{what: "kind", text: s}
	k := t.kind()
	t.end()
	if t.err != nil {
		return 0, t.err
	}
	return k, nil
}

// Category returns the upper four bits.
func (k Kind) Category() uint8 { return uint8(k >> 12) }

// Type returns the lower twelve bits.
func (k Kind) Type() uint16 { return uint16(k) & maxType }

// String returns the category's one and the type's three lower-case hexadecimal digits: "0x1:0x00a".
func (k Kind) String() string { return fmt.Sprintf("0x%x:0x%03x", k.Category(), k.Type()) }
