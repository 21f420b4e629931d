package region

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Why a name is refused. NewCoordinate, Region.Validate and Parse wrap them in a *NameError, which says whose
// name it is and where the fault lies.
var (
	ErrEmpty   = errors.New("spillway/region: the name is empty; it needs a byte at least")
	ErrTooLong = errors.New("spillway/region: the name is longer than 1,024 bytes")
	ErrUTF8    = errors.New("spillway/region: the name is not valid UTF-8")
	ErrNUL     = errors.New("spillway/region: the name holds a NUL")
	ErrControl = errors.New("spillway/region: the name holds a control character")
	ErrSlash   = errors.New("spillway/region: the name holds a slash")
	ErrDotDot  = errors.New("spillway/region: the name holds two dots in a row")
	ErrPipe    = errors.New("spillway/region: the name holds a vertical bar")
	ErrEquals  = errors.New("spillway/region: the name holds an equals sign")
	ErrAt      = errors.New("spillway/region: the name holds an at sign, which only an entity may")
	ErrSegment = errors.New("spillway/region: a segment of the name is empty; colons stand between segments only")
	ErrTooDeep = errors.New("spillway/region: the name has more than 64 segments")
)

// Why a kind, a region or a text is refused.
var (
	// ErrRange: a number is over what its field can hold.
	ErrRange = errors.New("spillway/region: out of range")
	// ErrReserved: a user's kinds are in neither category 0x0 (system) nor 0xD (effect).
	ErrReserved = errors.New("spillway/region: the category is reserved")
	// ErrClockRange: from is over to.
	ErrClockRange = errors.New("spillway/region: the clock range ends before it begins")
	// ErrSyntax: a text does not have the form that it should have.
	ErrSyntax = errors.New("spillway/region: not in the form expected")
)

// A NameError says why an entity or a scope is refused, and where. It is one of the sentinels from ErrEmpty
// to ErrTooDeep, for errors.Is.
type NameError struct {
	Field  string // "entity" or "scope"
	Name   string // the name; of a long one, what is around Offset
	Offset int    // the first byte at fault, counted from 0; the name's length where something is missing at its end
	Byte   byte   // what stands there; 0 at the name's end
	Err    error  // the sentinel
}

// Error says which name, where, why and, where Escape would help, that it would.
func (e *NameError) Error() string {
	why := strings.TrimPrefix(e.Err.Error(), "spillway/region: ")
	switch {
	case errors.Is(e.Err, ErrEmpty):
		return fmt.Sprintf("spillway/region: %s: %s", e.Field, why)
	case errors.Is(e.Err, ErrTooLong), errors.Is(e.Err, ErrSegment), errors.Is(e.Err, ErrTooDeep):
		return fmt.Sprintf("spillway/region: %s %q, byte %d: %s", e.Field, e.Name, e.Offset, why)
	}
	return fmt.Sprintf("spillway/region: %s %q, byte %d (0x%02x): %s; Escape writes such bytes as %%XX", e.Field, e.Name, e.Offset, e.Byte, why)
}

// Unwrap returns the sentinel.
func (e *NameError) Unwrap() error { return e.Err }

// A TextError says where a text that was to be read leaves the form that it should have.
type TextError struct {
	What   string // "kind", "position", "region" or "escaped name"
	Text   string // the text; of a long one, what is around Offset
	Offset int    // the first byte at fault, counted from 0; the text's length where something is missing at its end
	Want   string // what should stand there
	Err    error  // ErrSyntax or ErrRange
}

// Error says which text, where, and what was expected.
func (e *TextError) Error() string {
	why := ""
	if errors.Is(e.Err, ErrRange) {
		why = "out of range, "
	}
	return fmt.Sprintf("spillway/region: %s %q, byte %d: %swant %s", e.What, e.Text, e.Offset, why, e.Want)
}

// Unwrap returns the sentinel.
func (e *TextError) Unwrap() error { return e.Err }

// excerpt returns s, or of a long s what is around offset: no input makes a message long, or is kept alive
// by an error. The cuts do not go through a character, if there are characters.
func excerpt(s string, offset int) string {
	const around = 32
	from, to := max(0, offset-around), min(len(s), offset+around)
	if to-from == len(s) {
		return s
	}
	for range utf8.UTFMax - 1 {
		if from > 0 && from < offset && !utf8.RuneStart(s[from]) {
			from++
		}
		if to < len(s) && to > offset+1 && !utf8.RuneStart(s[to]) {
			to--
		}
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	b.WriteString(s[from:to])
	if to < len(s) {
		b.WriteString("…")
	}
	return b.String()
}
