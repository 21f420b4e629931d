package region

import (
	"errors"
	"fmt"
)

// Why a name is refused; a *NameError says which name and where.
var (
	ErrEmpty   = errors.New("it is empty")
	ErrTooLong = errors.New("it is longer than 1,024 bytes")
	ErrUTF8    = errors.New("it is not valid UTF-8")
	ErrNUL     = errors.New("it holds a NUL")
	ErrControl = errors.New("it holds a control character")
	ErrSlash   = errors.New("it holds a slash")
	ErrDotDot  = errors.New("it holds two dots in a row")
	ErrPipe    = errors.New("it holds a vertical bar")
	ErrEquals  = errors.New("it holds an equals sign")
	ErrAt      = errors.New("a scope holds no at sign")
	ErrSegment = errors.New("a segment between colons is empty")
	ErrTooDeep = errors.New("it has more than 64 segments")
)

// Why a kind, a region or a text is refused.
var (
	ErrRange      = errors.New("out of range")
	ErrReserved   = errors.New("the category is reserved")
	ErrClockRange = errors.New("the clock's range ends before it begins")
	// ErrSyntax: a text is not what String writes; a *SyntaxError says where.
	ErrSyntax = errors.New("not in canonical form")
)

// A NameError says why an entity or a scope is refused, and where.
type NameError struct {
	Field  string // "entity" or "scope"
	Name   string // its first bytes
	Offset int    // the byte at fault, from 0; the length for what is missing
	Err    error  // one of the sentinels above
}

func (e *NameError) Error() string {
	return fmt.Sprintf("spillway/region: %s %q, byte %d: %v; Escape makes a name of anything", e.Field, e.Name, e.Offset, e.Err)
}

// Unwrap returns Err.
func (e *NameError) Unwrap() error { return e.Err }

// A SyntaxError says where a text leaves the form that it should have.
type SyntaxError struct {
	Text   string // its first bytes
	Offset int    // the byte at fault, from 0
	Want   string // what should stand there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("spillway/region: %q, byte %d: want %s", e.Text, e.Offset, e.Want)
}

// Is makes errors.Is(err, ErrSyntax) true.
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

// clip keeps error messages short, whatever the input.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
