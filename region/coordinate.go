package region

import (
	"strings"
	"unicode/utf8"
)

// A Coordinate is an event's name: the entity that it happened to, and the scope in which that entity is
// known. The zero Coordinate is no name; every other comes from NewCoordinate, so its names are good.
// Coordinates are comparable.
type Coordinate struct{ entity, scope string }

const (
	maxName     = 1024 // bytes
	maxSegments = 64
)

// NewCoordinate checks both names, the entity first. An error is a *NameError for the first byte at fault;
// an empty name and one too long are refused before any byte is looked at.
//
// A name is 1 to 1,024 bytes of valid UTF-8. It holds no control character (below 0x20, or 0x7F), no slash,
// vertical bar or equals sign, and no two dots in a row; a scope holds no at sign either. An entity is 1 to
// 64 segments with colons between them, none empty; in a scope a colon is a byte like any other.
func NewCoordinate(entity, scope string) (Coordinate, error) {
	if err := checkName("entity", entity); err != nil {
		return Coordinate{}, err
	}
	if err := checkName("scope", scope); err != nil {
		return Coordinate{}, err
	}
	return Coordinate{entity: entity, scope: scope}, nil
}

// Entity returns the entity's name.
func (c Coordinate) Entity() string { return c.entity }

// Scope returns the scope's name.
func (c Coordinate) Scope() string { return c.scope }

// String returns "entity@scope". An entity may hold an at sign and a scope may not, so the last one divides.
func (c Coordinate) String() string { return c.entity + "@" + c.scope }

// checkName returns a *NameError, or nil. field is "entity" or "scope".
func checkName(field, name string) error {
	offset, why := fault(name, field == "entity")
	if why == nil {
		return nil
	}
	e := &NameError{Field: field, Name: excerpt(name, offset), Offset: offset, Err: why}
	if offset < len(name) {
		e.Byte = name[offset]
	}
	return e
}

// fault returns the first byte of name at fault, and why it is; nil where none is.
func fault(name string, entity bool) (offset int, why error) {
	switch {
	case name == "":
		return 0, ErrEmpty
	case len(name) > maxName:
		return maxName, ErrTooLong
	}
	segments, start := 1, 0
	for i, r := range name {
		if why := refused(name, i, r); why != nil {
			return i, why
		}
		switch {
		case !entity && r == '@':
			return i, ErrAt
		case entity && r == ':':
			if i == start {
				return i, ErrSegment
			}
			if segments == maxSegments {
				return i, ErrTooDeep
			}
			segments, start = segments+1, i+1
		}
	}
	if entity && start == len(name) {
		return start, ErrSegment
	}
	return 0, nil
}

// refused tells why no name may hold the character r, which begins at byte i; nil where it may.
func refused(name string, i int, r rune) error {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(name[i:], string(utf8.RuneError)):
		return ErrUTF8
	case r == 0:
		return ErrNUL
	case r < 0x20, r == 0x7F:
		return ErrControl
	case r == '/':
		return ErrSlash
	case r == '.' && strings.HasPrefix(name[i+1:], "."):
		return ErrDotDot
	case r == '|':
		return ErrPipe
	case r == '=':
		return ErrEquals
	}
	return nil
}
