package bench

import (
	"errors"
	"strings"
	"testing"
)

// A Crowd tells of a block once all have it, and only then; the next block may be sent at once.
func TestCrowd(t *testing.T) {
	const readers, block, blocks = 8, 3, 200
	crowd := NewCrowd(readers, block)
	ends := make([]chan uint64, readers)
	for i := range ends {
		ends[i] = make(chan uint64, block)
		crowd.Go(func(got func(n int, sum uint64)) error {
			for v := range ends[i] {
				got(1, v)
			}
			return nil
		})
	}
	for v := range uint64(block * blocks) {
		for _, c := range ends {
			select {
			case c <- v:
			default:
				t.Fatalf("event %d: a reader had not taken the block before, though all were told to have it", v)
			}
		}
		if (v+1)%block == 0 {
			if err := crowd.Await(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range ends {
		close(c)
	}
	crowd.Wait()
}

// A reader who missed an event, had one twice or failed is told of instead of the block.
func TestCrowdSaysWhatIsWrong(t *testing.T) {
	failed := errors.New("failed")
	for _, test := range []struct {
		name string
		read func(got func(n int, sum uint64)) error
		want string
	}{
		{"another event", func(got func(int, uint64)) error { got(3, 0+1+3); return nil }, "3 events with sum 4; want 3 with sum 3"},
		{"one too many", func(got func(int, uint64)) error { got(4, 0+1+2+2); return nil }, "4 events with sum 5; want 3 with sum 3"},
		{"an error", func(func(int, uint64)) error { return failed }, failed.Error()},
	} {
		crowd := NewCrowd(2, 3)
		crowd.Go(func(got func(int, uint64)) error { got(3, 0+1+2); return nil })
		crowd.Go(test.read)
		crowd.Wait()
		// Who is wrong about a block counts for it too, so the block may be told of as well.
		err := crowd.Await()
		if err == nil {
			err = crowd.Await()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v; want %q", test.name, err, test.want)
		}
	}
}
