package fuzz_test

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

var positionText = regexp.MustCompile(`^(0|[1-9][0-9]*):(0|[1-9][0-9]*):(0|[1-9][0-9]*)@(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)

// positionFits is a second opinion of whether a text is a Position's: of the form, and no number too big.
func positionFits(s string) (form, fits bool) {
	m := positionText.FindStringSubmatch(s)
	if m == nil {
		return false, false
	}
	for i, bits := range []int{32, 32, 32, 64, 16} {
		if n, ok := new(big.Int).SetString(m[i+1], 10); !ok || n.BitLen() > bits {
			return true, false
		}
	}
	return true, true
}

// FuzzPosition takes any text as a Position, and any numbers as two of them. ParsePosition takes what the
// regular expression and big.Int allow, and is String's inverse both ways; Compare is a strict order on each
// lane and depth, and IsAncestorOf the same one.
func FuzzPosition(f *testing.F) {
	for i, s := range []string{
		"0:0:0@0.0", "1:2:3@4.5", "4294967295:4294967295:4294967295@18446744073709551615.65535",
		"4294967296:0:0@0.0", "0:0:0@18446744073709551616.0", "0:0:0@0.65536", "01:0:0@0.0", "+1:0:0@0.0", "1:2:3@4.05",
		"", "1", "1:2:3", "1:2:3@4", "1:2:3@4.", "1:2:3@4.5 ", "1:2:3@4.5.6", "1@2:3:4.5", "0x1:0:0@0.0", strings.Repeat("9", 99),
	} {
		f.Add(s, uint64(i), uint16(i), uint32(i), uint32(7), uint32(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, s string, wall uint64, counter uint16, depth, lane, sequence uint32, change uint8) {
		got, err := region.ParsePosition(s)
		form, fits := positionFits(s)
		switch {
		case fits && (err != nil || got.String() != s):
			t.Errorf("ParsePosition(%q) = %v, %v", s, got, err)
		case !fits && got != region.Position{}:
			t.Errorf("ParsePosition(%q) = %v beside the error %v", s, got, err)
		case form && !fits && !errors.Is(err, region.ErrRange):
			t.Errorf("ParsePosition(%q): got %v, want ErrRange", s, err)
		case !form && !errors.Is(err, region.ErrSyntax) && !errors.Is(err, region.ErrRange):
			t.Errorf("ParsePosition(%q): got %v, want ErrSyntax", s, err)
		}

		p := region.Position{WallMS: wall, Counter: counter, Depth: depth, Lane: lane, Sequence: sequence}
		if got, err := region.ParsePosition(p.String()); got != p || err != nil {
			t.Errorf("ParsePosition(%q) = %v, %v", p, got, err)
		}
		q := p // changed in the fields whose bits are set
		for i, field := range []*uint32{&q.Depth, &q.Lane, &q.Sequence} {
			*field ^= uint32(change >> i & 1)
		}
		q.WallMS ^= uint64(change >> 3 & 1)
		q.Counter ^= uint16(change >> 4 & 1)
		order, ok := p.Compare(q)
		back, backOK := q.Compare(p)
		if order != -back || ok != backOK {
			t.Errorf("%v.Compare(%v) = %d, %v; the other way round %d, %v", p, q, order, ok, back, backOK)
		}
		oneBranch := change&3 == 0
		comparable := oneBranch && (change&4 != 0 || p == q)
		if ok != comparable || ok && (order == 0) != (p == q) {
			t.Errorf("%v.Compare(%v) = %d, %v", p, q, order, ok)
		}
		if want := oneBranch && p.Sequence < q.Sequence; p.IsAncestorOf(q) != want || (order < 0) != want {
			t.Errorf("%v.IsAncestorOf(%v) = %v, Compare %d", p, q, p.IsAncestorOf(q), order)
		}
	})
}
