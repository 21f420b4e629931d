package fuzz_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

var (
	kindText   = regexp.MustCompile(`^(0[xX][0-9a-fA-F]):(0[xX][0-9a-fA-F]{1,3})$`)
	kindBeyond = regexp.MustCompile(`^0[xX](0*[1-9a-fA-F][0-9a-fA-F]+|[0-9a-fA-F]:0[xX]0*[1-9a-fA-F][0-9a-fA-F]{3,})`)
)

// FuzzKind takes any text as a Kind, and any two numbers as its parts. ParseKind reads what the regular
// expression matches, with the value that strconv gives; NewKind makes what its text says.
func FuzzKind(f *testing.F) {
	for i, s := range []string{
		"0x1:0x00a", "0X1:0XA", "0xf:0xfff", "0x0:0x0", "0xd:0x001", "0x10:0x000", "0x1:0x1000", "0x1:0x0001", "0x01:0x1",
		"", "0x", "0x1", "0x1:", "0x1:0x", ":", "1:2", "0x1:0xg", "0x1:0x1 ", "0x1:0x1:0x1", "0x1:0x" + strings.Repeat("0", 70),
	} {
		f.Add(s, uint8(i), uint16(i)*0x10)
		f.Add(s, uint8(1), uint16(i)<<8|0xff)
	}
	f.Fuzz(func(t *testing.T, s string, category uint8, typ uint16) {
		got, err := region.ParseKind(s)
		if m := kindText.FindStringSubmatch(s); m != nil {
			c, _ := strconv.ParseUint(m[1], 0, 16)
			n, _ := strconv.ParseUint(m[2], 0, 16)
			if want := region.Kind(c*0x1000 + n); got != want || err != nil {
				t.Errorf("ParseKind(%q) = %v, %v, want %v", s, got, err, want)
			}
			if low := strings.ToLower(s); len(s) == len("0x1:0x00a") && got.String() != low {
				t.Errorf("ParseKind(%q) has the text %q", s, got)
			}
		} else {
			want := region.ErrSyntax
			if kindBeyond.MatchString(s) {
				want = region.ErrRange
			}
			if got != 0 || !errors.Is(err, want) {
				t.Errorf("ParseKind(%q) = %v, %v, want %v", s, got, err, want)
			}
		}

		k, err := region.NewKind(category, typ)
		text := "0x" + strconv.FormatUint(uint64(category), 16) + ":0x" + strconv.FormatUint(0x1000+uint64(typ), 16)[1:]
		switch {
		case category > 15 || typ > 4095:
			if !errors.Is(err, region.ErrRange) {
				t.Errorf("NewKind(%d, %d): got %v, want ErrRange", category, typ, err)
			}
			return
		case category == 0 || category == 13:
			if !errors.Is(err, region.ErrReserved) {
				t.Errorf("NewKind(%d, %d): got %v, want ErrReserved", category, typ, err)
			}
		case err != nil || k.String() != text || k.Category() != category || k.Type() != typ:
			t.Errorf("NewKind(%d, %d) = %v, %v, want %s", category, typ, k, err, text)
		}
		// A text reads reserved kinds too, which no NewKind makes.
		if k, err := region.ParseKind(text); err != nil || k.Category() != category || k.Type() != typ || k.String() != text {
			t.Errorf("ParseKind(%q) = %v, %v", text, k, err)
		}
	})
}
