package cursor_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/cursor"
)

// A source is a stream, and what was made of it.
type source struct {
	values []int
	err    error // at its end
	pulled int   // what was handed out, the error included
	ended  int   // how often it has returned
}

func (s *source) all() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		defer func() { s.ended++ }()
		for _, v := range s.values {
			s.pulled++
			if !yield(v, nil) {
				return
			}
		}
		if s.err != nil {
			s.pulled++
			if yield(-1, s.err) { // the value beside an error is none
				panic("a stream was pulled after its error")
			}
		}
	}
}

var errEnd = errors.New("the stream broke off")

func drawSource(t *rapid.T) *source {
	s := &source{values: rapid.SliceOfN(rapid.IntRange(0, 20), 0, 12).Draw(t, "values")}
	if rapid.Bool().Draw(t, "fails") {
		s.err = errEnd
	}
	return s
}

// collect reads most values at most, and the error.
func collect[V any](s iter.Seq2[V, error], most int) (vs []V, err error) {
	if most == 0 {
		return nil, nil
	}
	for v, err := range s {
		if err != nil {
			return vs, err
		}
		if vs = append(vs, v); len(vs) == most {
			break
		}
	}
	return vs, nil
}

// isLike looks whether an operator gives what it gives of a slice, the whole of it and each part of it, and ends the stream
// under it each time. need says how many of the stream's values it needs for n of its own.
func isLike[V any](t *rapid.T, src *source, op func(iter.Seq2[int, error]) iter.Seq2[V, error], want []V, fails bool, need func(n int) int) {
	out := op(src.all())
	if src.pulled != 0 {
		t.Fatal("the stream was begun before anybody ranged over it")
	}
	for most := range len(want) + 2 {
		src.pulled, src.ended = 0, 0
		got, err := collect(out, most)
		part := want[:min(most, len(want))]
		if fmt.Sprint(got) != fmt.Sprint(part) {
			t.Fatalf("the first %d: %v, want %v", most, got, part)
		}
		if wantErr := fails && most > len(want); (err != nil) != wantErr || wantErr && err != errEnd {
			t.Fatalf("after %d: %v, want an error: %v", most, err, wantErr)
		}
		if most > 0 && most <= len(want) && src.pulled != need(most) {
			t.Fatalf("%d values were pulled for the first %d, want %d", src.pulled, most, need(most))
		}
		if begun := src.pulled > 0; begun && src.ended != 1 {
			t.Fatalf("after %d the stream was ended %d times", most, src.ended)
		}
	}
}

func same(n int) int { return n }

func TestFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawSource(t)
		odd := func(v int) bool { return v%2 == 1 }
		want := slices.DeleteFunc(slices.Clone(src.values), func(v int) bool { return !odd(v) })
		need := func(n int) int {
			for i, v := range src.values {
				if odd(v) {
					if n--; n == 0 {
						return i + 1
					}
				}
			}
			return -1
		}
		isLike(t, src, func(s iter.Seq2[int, error]) iter.Seq2[int, error] { return cursor.Filter(s, odd) }, want, src.err != nil, need)
	})
}

func TestMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawSource(t)
		var want []string
		for _, v := range src.values {
			want = append(want, fmt.Sprint(v))
		}
		op := func(s iter.Seq2[int, error]) iter.Seq2[string, error] {
			return cursor.Map(s, func(v int) string { return fmt.Sprint(v) })
		}
		isLike(t, src, op, want, src.err != nil, same)
	})
}

func TestTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawSource(t)
		n := rapid.IntRange(-1, 14).Draw(t, "n")
		want := src.values[:min(max(0, n), len(src.values))]
		op := func(s iter.Seq2[int, error]) iter.Seq2[int, error] { return cursor.Take(s, n) }
		isLike(t, src, op, want, src.err != nil && n > len(src.values), same)
		src.pulled = 0
		if _, _ = collect(op(src.all()), -1); src.pulled > max(0, n) {
			t.Fatalf("%d were pulled to take %d", src.pulled, n)
		}
	})
}

func TestScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawSource(t)
		var want []string
		text := "sums"
		for _, v := range src.values {
			text = fmt.Sprint(text, " ", v)
			want = append(want, text)
		}
		op := func(s iter.Seq2[int, error]) iter.Seq2[string, error] {
			return cursor.Scan(s, "sums", func(a string, v int) string { return fmt.Sprint(a, " ", v) })
		}
		isLike(t, src, op, want, src.err != nil, same)
	})
}

// TestBatch: what is left comes before the error.
func TestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawSource(t)
		n := rapid.IntRange(1, 14).Draw(t, "n")
		want := slices.Collect(slices.Chunk(src.values, n))
		need := func(batches int) int {
			if all := len(src.values); batches*n > all && src.err != nil {
				return all + 1 // the error says that this is all
			} else {
				return min(batches*n, all)
			}
		}
		isLike(t, src, func(s iter.Seq2[int, error]) iter.Seq2[[]int, error] { return cursor.Batch(s, n) }, want, src.err != nil, need)
	})
	t.Run("of none", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("a Batch of 0 did not panic")
			}
		}()
		cursor.Batch((&source{}).all(), 0)
	})
}
