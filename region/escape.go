package region

import "strings"

// Escape makes a scope, or one segment of an entity, of any text that is not empty and whose result is not
// too long: %XX, in upper-case digits, stands for each byte that a scope would refuse, for the percent sign,
// and for every dot in a run of two or more. Each byte of invalid UTF-8 is such a byte. Colons stay, for
// they divide an entity: in a segment that may hold one, write it as %3A afterwards. Escape("") is "".
func Escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	done := 0 // s[:done] is in b
	for i, r := range s {
		if !escaped(s, i, r) {
			continue
		}
		if b.Len() == 0 {
			b.Grow(len(s) + 16)
		}
		b.WriteString(s[done:i])
		b.Write([]byte{'%', digits[s[i]>>4], digits[s[i]&0xF]})
		done = i + 1 // every character that is escaped is one byte
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// escaped tells whether Escape writes the character r, which begins at byte i, as %XX.
func escaped(s string, i int, r rune) bool {
	switch r {
	case '%', '@':
		return true
	case '.':
		return i > 0 && s[i-1] == '.' || strings.HasPrefix(s[i+1:], ".")
	}
	return refused(s, i, r) != nil
}

// Unescape is the inverse of Escape, for every string. It reads more than Escape writes: lower-case digits,
// and bytes escaped without need. A percent sign that two hexadecimal digits don't follow is a *TextError.
// What it returns is a text, not a name: it may hold anything.
func Unescape(s string) (string, error) {
	next := strings.IndexByte(s, '%')
	if next < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; ; {
		b.WriteString(s[i : i+next])
		i += next
		for digit := i + 1; digit <= i+2; digit++ {
			if digit >= len(s) || !isHex(s[digit]) {
				return "", &TextError{
					What: "escaped name", Text: excerpt(s, digit), Offset: digit, Err: ErrSyntax,
					Want: "two hexadecimal digits after the percent sign, which is itself escaped as %25",
				}
			}
		}
		b.WriteByte(nibble(s[i+1])<<4 | nibble(s[i+2]))
		i += 3
		if next = strings.IndexByte(s[i:], '%'); next < 0 {
			b.WriteString(s[i:])
			return b.String(), nil
		}
	}
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

// nibble returns the value of a hexadecimal digit.
func nibble(b byte) byte {
	if b <= '9' {
		return b - '0'
	}
	return b | 0x20 - 'a' + 10
}
