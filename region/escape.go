package region

import (
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// Escape makes a name of any text, but for its length: %XX stands for each byte that a scope would
// refuse, for %, and for every dot in a run of two or more. Colons stay. Escape("") is "".
func Escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if refused(s, i, r, size) {
			b.WriteByte('%')
			b.WriteByte(upperHex[s[i]>>4])
			b.WriteByte(upperHex[s[i]&15])
			i++
			continue
		}
		b.WriteString(s[i : i+size])
		i += size
	}
	return b.String()
}

// refused tells whether the byte at i, which begins rune r, must be escaped.
func refused(s string, i int, r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1:
		return true
	case r < 0x20, r == 0x7F:
		return true
	case r == '/', r == '|', r == '=', r == '@', r == '%':
		return true
	case r == '.':
		return i > 0 && s[i-1] == '.' || i+1 < len(s) && s[i+1] == '.'
	}
	return false
}

// Unescape is the inverse of Escape. It takes lower-case digits, and bytes escaped without need; a percent
// sign without two hexadecimal digits behind it is a *SyntaxError.
func Unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return "", &SyntaxError{Text: clip(s), Offset: i, Want: "two hexadecimal digits behind the percent sign"}
		}
		b.WriteByte(nibble(s[i+1])<<4 | nibble(s[i+2]))
		i += 2
	}
	return b.String(), nil
}

func nibble(b byte) byte {
	if b <= '9' {
		return b - '0'
	}
	return b | 0x20 - 'a' + 10
}
