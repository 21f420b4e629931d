package region

import (
	"strings"
	"unicode/utf8"
)

// A Coordinate is an event's name: the entity that it happened to, and the scope in which that entity is
// known. The zero Coordinate is no name.
type Coordinate struct{ entity, scope string }

const (
	maxName     = 1024 // bytes
	maxSegments = 64
)

// NewCoordinate checks both names. An error is a *NameError.
//
// Each is 1 to 1,024 bytes of valid UTF-8 without control characters, slashes, vertical bars, equals signs
// or two dots in a row; a scope has no at sign. An entity is 1 to 64 segments between colons, none empty.
func NewCoordinate(entity, scope string) (Coordinate, error) {
	if err := checkEntity(entity); err != nil {
		return Coordinate{}, err
	}
	if err := checkScope(scope); err != nil {
		return Coordinate{}, err
	}
	return Coordinate{entity: entity, scope: scope}, nil
}

// Entity returns the entity's name.
func (c Coordinate) Entity() string { return c.entity }

// Scope returns the scope's name.
func (c Coordinate) Scope() string { return c.scope }

// String returns "entity@scope". An entity may hold an at sign and a scope may not: the last one divides.
func (c Coordinate) String() string { return c.entity + "@" + c.scope }

func checkEntity(name string) error {
	if offset, err := checkName(name, false); err != nil {
		return &NameError{Field: "entity", Name: clip(name), Offset: offset, Err: err}
	}
	if offset, err := checkSegments(name); err != nil {
		return &NameError{Field: "entity", Name: clip(name), Offset: offset, Err: err}
	}
	return nil
}

func checkScope(name string) error {
	if offset, err := checkName(name, true); err != nil {
		return &NameError{Field: "scope", Name: clip(name), Offset: offset, Err: err}
	}
	return nil
}

// checkName returns the first byte at fault, and why it is.
func checkName(name string, scope bool) (offset int, err error) {
	switch {
	case name == "":
		return 0, ErrEmpty
	case len(name) > maxName:
		return maxName, ErrTooLong
	}
	for i, r := range name {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(name[i:], "\uFFFD"):
			return i, ErrUTF8
		case r == 0:
			return i, ErrNUL
		case r < 0x20 || r == 0x7F:
			return i, ErrControl
		case r == '/':
			return i, ErrSlash
		case r == '|':
			return i, ErrPipe
		case r == '=':
			return i, ErrEquals
		case r == '@' && scope:
			return i, ErrAt
		case r == '.' && strings.HasPrefix(name[i+1:], "."):
			return i, ErrDotDot
		}
	}
	return 0, nil
}

func checkSegments(name string) (offset int, err error) {
	segments, start := 1, 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != ':' {
			continue
		}
		if i == start {
			return i, ErrSegment
		}
		if i < len(name) {
			if segments++; segments > maxSegments {
				return i, ErrTooDeep
			}
		}
		start = i + 1
	}
	return 0, nil
}
