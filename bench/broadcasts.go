package bench

import "fmt"

// Broadcasts describes a side of a row that is about broadcasting: in each round a block of events is sent,
// timed, and everything that arrived is drained and checked, untimed.
type Broadcasts[T any] struct {
	Name string

	// Events are taken block after block, and then from the start again. Those of a side and those of the
	// other should be the same.
	Events []T

	// Sequence tells events apart; what arrives is counted, and its sequences are added up.
	Sequence func(T) uint64

	// Block is how many events a round sends. No buffer may be smaller than what a block puts in it.
	Block int

	// Readers is how many are to get each event.
	Readers int

	// Repeat is how often a round sends its block; 0 is once. More than once is for sides without readers,
	// which would be too quick for the clock.
	Repeat int

	// Send broadcasts the events in order, and returns how often one was accepted and how often refused.
	Send func(events []T) (accepted, refused int)

	// Drain takes what Send delivered of these events, without waiting, and returns how many those were
	// and the sum of their sequences.
	Drain func(events []T) (count int, sum uint64)
}

// Section returns the Section that does it.
func (b Broadcasts[T]) Section() Section {
	repeat := max(b.Repeat, 1)
	var (
		block             []T
		accepted, refused int
	)
	return Section{
		Name: b.Name,
		Before: func(round int) error {
			at := round % (len(b.Events) / b.Block) * b.Block
			block = b.Events[at : at+b.Block]
			accepted, refused = 0, 0
			return nil
		},
		Timed: func() (ops int) {
			for range repeat {
				a, r := b.Send(block)
				accepted += a
				refused += r
			}
			return repeat * len(block)
		},
		After: func() error {
			count, sum := b.Drain(block)
			wantCount, wantSum := b.want(block, repeat)
			if refused != 0 || accepted != wantCount || count != wantCount || sum != wantSum {
				return fmt.Errorf("refused %d, accepted %d, drained %d with sum of sequences %d; want none refused, %d and %d with sum %d",
					refused, accepted, count, sum, wantCount, wantCount, wantSum)
			}
			return nil
		},
	}
}

// Rehearse sends, drains and checks every block once, untimed. Rows that visit more memory than a few
// rounds touch need it: the first write to a page that the system hasn't handed out yet takes longer than
// anything that is measured here, on both sides.
func (b Broadcasts[T]) Rehearse() error {
	s := b.Section()
	for round := range len(b.Events) / b.Block {
		if _, err := s.play(round, 0); err != nil {
			return fmt.Errorf("%s, rehearsing block %d: %w", b.Name, round, err)
		}
	}
	return nil
}

// want returns how many events are to arrive, and what their sequences add up to.
func (b Broadcasts[T]) want(block []T, repeat int) (count int, sum uint64) {
	for i := range block {
		sum += b.Sequence(block[i])
	}
	return repeat * b.Readers * len(block), sum * uint64(repeat*b.Readers)
}

// Drain takes everything that is in the channels, without waiting, and returns how many events it was
// and the sum of their sequences. A closed channel has nothing.
func Drain[T any](outs []<-chan T, sequence func(T) uint64) (count int, sum uint64) {
	for _, out := range outs {
		for more := true; more; {
			select {
			case n, ok := <-out:
				if more = ok; ok {
					count++
					sum += sequence(n)
				}
			default:
				more = false
			}
		}
	}
	return count, sum
}
