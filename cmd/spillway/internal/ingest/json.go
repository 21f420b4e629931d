package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A text is JSON that is read once, from front to end, without a copy. Its errors say at which byte they are.
type text struct {
	data []byte
	at   int
	left int // how much deeper values may nest
}

// errNesting: values nest too deep.
var errNesting = errors.New("it nests too deep")

// newText returns data to be read. It refuses what is no UTF-8.
func newText(data []byte, nesting int) (*text, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	return &text{data: data, left: nesting}, nil
}

func (t *text) fail(what string) error { return fmt.Errorf("byte %d: want %s", t.at, what) }

func (t *text) space() {
	for t.at < len(t.data) {
		switch t.data[t.at] {
		case ' ', '\t', '\r', '\n':
			t.at++
		default:
			return
		}
	}
}

// peek returns the byte that comes next, behind what is space; 0 at the end.
func (t *text) peek() byte {
	t.space()
	if t.at == len(t.data) {
		return 0
	}
	return t.data[t.at]
}

func (t *text) take(c byte) error {
	if t.peek() != c || t.at == len(t.data) {
		return t.fail(strconv.QuoteRune(rune(c)))
	}
	t.at++
	return nil
}

// end looks whether nothing more comes.
func (t *text) end() error {
	if t.space(); t.at < len(t.data) {
		return t.fail("nothing more")
	}
	return nil
}

// value returns the value that comes next, as it stands there.
func (t *text) value() ([]byte, error) {
	c := t.peek()
	from := t.at
	var err error
	switch {
	case c == '{':
		err = t.object(func(string) error {
			_, err := t.value()
			return err
		})
	case c == '[':
		err = t.array(func() error {
			_, err := t.value()
			return err
		})
	case c == '"':
		err = t.str()
	case c == '-' || '0' <= c && c <= '9':
		err = t.number()
	default:
		err = t.word()
	}
	return t.data[from:t.at], err
}

func (t *text) word() error {
	for _, w := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(t.data[t.at:], []byte(w)) {
			t.at += len(w)
			return nil
		}
	}
	return t.fail("a value")
}

// deeper goes one level down while it calls f.
func (t *text) deeper(f func() error) error {
	if t.left == 0 {
		return fmt.Errorf("byte %d: %w", t.at, errNesting)
	}
	t.left--
	err := f()
	t.left++
	return err
}

// array calls each for every element, which it has to read.
func (t *text) array(each func() error) error {
	return t.deeper(func() error {
		if err := t.take('['); err != nil {
			return err
		}
		if t.peek() == ']' {
			t.at++
			return nil
		}
		for {
			if err := each(); err != nil {
				return err
			}
			if t.peek() != ',' {
				return t.take(']')
			}
			t.at++
		}
	})
}

// object calls each for every field, whose value it has to read.
func (t *text) object(each func(name string) error) error {
	return t.deeper(func() error {
		if err := t.take('{'); err != nil {
			return err
		}
		if t.peek() == '}' {
			t.at++
			return nil
		}
		for {
			name, err := t.name()
			if err != nil {
				return err
			}
			if err := t.take(':'); err != nil {
				return err
			}
			if err := each(name); err != nil {
				return err
			}
			if t.peek() != ',' {
				return t.take('}')
			}
			t.at++
		}
	})
}

func (t *text) name() (string, error) {
	if t.peek() != '"' {
		return "", t.fail("a field's name")
	}
	from := t.at
	if err := t.str(); err != nil {
		return "", err
	}
	return unquote(t.data[from:t.at])
}

// str goes over a string.
func (t *text) str() error {
	t.at++
	for t.at < len(t.data) {
		switch c := t.data[t.at]; {
		case c == '"':
			t.at++
			return nil
		case c == '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return t.fail("a string without control characters")
		default:
			t.at++
		}
	}
	return t.fail("the end of a string")
}

// escape goes over a backslash and what it escapes; of a surrogate pair, both halves.
func (t *text) escape() error {
	if t.at+1 < len(t.data) && bytes.IndexByte([]byte(`"\/bfnrt`), t.data[t.at+1]) >= 0 {
		t.at += 2
		return nil
	}
	unit, err := t.unit()
	switch {
	case err != nil:
		return err
	case unit < 0xD800 || unit > 0xDFFF:
		return nil
	case unit > 0xDBFF:
		return t.fail("no half of a surrogate pair before")
	}
	if low, err := t.unit(); err != nil || low < 0xDC00 || low > 0xDFFF {
		return t.fail("the other half of a surrogate pair")
	}
	return nil
}

// unit goes over \uXXXX.
func (t *text) unit() (uint64, error) {
	if t.at+6 > len(t.data) || t.data[t.at] != '\\' || t.data[t.at+1] != 'u' {
		return 0, t.fail("an escape that JSON has")
	}
	unit, err := strconv.ParseUint(string(t.data[t.at+2:t.at+6]), 16, 16)
	if err != nil {
		return 0, t.fail("four hexadecimal digits")
	}
	t.at += 6
	return unit, nil
}

func (t *text) digits() error {
	from := t.at
	for t.at < len(t.data) && '0' <= t.data[t.at] && t.data[t.at] <= '9' {
		t.at++
	}
	if t.at == from {
		return t.fail("a digit")
	}
	return nil
}

func (t *text) number() error {
	if t.data[t.at] == '-' {
		t.at++
	}
	zero := t.at < len(t.data) && t.data[t.at] == '0'
	if zero {
		t.at++
	} else if err := t.digits(); err != nil {
		return err
	}
	if t.at < len(t.data) && t.data[t.at] == '.' {
		t.at++
		if err := t.digits(); err != nil {
			return err
		}
	}
	if t.at < len(t.data) && (t.data[t.at] == 'e' || t.data[t.at] == 'E') {
		t.at++
		if t.at < len(t.data) && (t.data[t.at] == '+' || t.data[t.at] == '-') {
			t.at++
		}
		return t.digits()
	}
	return nil
}

// unquote returns what a string says; str has been over it.
func unquote(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// fields reads the object that data is: each field by its reader, once. A name that has no reader is an error, unless other takes it.
func fields(data []byte, nesting int, readers map[string]func(raw []byte) error, other func(name string, raw []byte) error) error {
	t, err := newText(data, nesting)
	if err != nil {
		return err
	}
	if t.peek() != '{' {
		return t.fail("an object")
	}
	seen := make(map[string]bool, 8)
	err = t.object(func(name string) error {
		raw, err := t.value()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("the field %q is there twice", name)
		}
		seen[name] = true
		read := readers[name]
		switch {
		case read != nil:
			err = read(raw)
		case other != nil:
			return other(name, raw)
		default:
			return fmt.Errorf("there is no field %q", name)
		}
		if err != nil {
			return fmt.Errorf("the field %q: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.end()
}

// A string's, and a number's reader. What is null is as if it weren't there.
func toString(to *string) func([]byte) error {
	return func(raw []byte) (err error) {
		switch {
		case string(raw) == "null":
			return nil
		case raw[0] != '"':
			return errors.New("want a string")
		}
		*to, err = unquote(raw)
		return err
	}
}

func toNumber[N uint16 | uint32 | uint64](to *N, bits int) func([]byte) error {
	return func(raw []byte) error {
		if string(raw) == "null" {
			return nil
		}
		n, err := strconv.ParseUint(string(raw), 10, bits)
		if err != nil {
			return fmt.Errorf("want a whole number of %d bits", bits)
		}
		*to = N(n)
		return nil
	}
}
