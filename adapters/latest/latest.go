// Package latest delivers the newest event of each key, and none twice: for whoever wants to know how things stand
// and not how they came to.
//
//	s, err := latest.Subscribe(ctx, fanout, region.Region{}, latest.Options{MaxKeys: 1000}, Event.Name)
//	for e, err := range s.All() { … } // each time the newest of the key that has waited longest
//
// An event replaces the one of its key that is not read yet, which is counted as lost. Keys come in the order of
// their first change that is not read yet. Memory is bounded by the number of keys: an event whose key is one
// too many prunes the subscription.
package latest

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spillwayhq/spillway/adapters/internal/pull"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var (
	// ErrMaxKeys is in the error of a Subscribe whose Options.MaxKeys is below 1, or more than memory can have.
	ErrMaxKeys = errors.New("spillway/latest: unusable number of keys")
	// ErrNilKey is what Subscribe refuses a nil key function with.
	ErrNilKey = errors.New("spillway/latest: the key function is nil")
)

// Options bound what is kept.
type Options struct {
	// MaxKeys is how many distinct keys there may be, exactly, from Subscribe on: one that was read is not
	// forgotten. At least 1.
	MaxKeys int
}

// A Subscription is the newest event of each key.
type Subscription[T any, K comparable] struct {
	sink *sink[T, K]
	sub  *core.Subscription
}

// Subscribe registers for the events that r matches, each under the key that key returns; it ends with ctx, by
// Cancel, with the Fanout, or by an event whose key is one too many, or is not equal to itself. A panic in
// key, or the one over a key that can't be hashed, ends it too. Its errors are those of core.Fanout.Subscribe,
// ErrMaxKeys and ErrNilKey. key is called by whoever broadcasts, by several at once, and must not block. The table
// for all keys is made at once, 24 to 40 bytes for each.
func Subscribe[T any, K comparable](ctx context.Context, f *core.Fanout[T], r region.Region, o Options, key func(T) K) (*Subscription[T, K], error) {
	if key == nil {
		return nil, ErrNilKey
	}
	if o.MaxKeys < 1 {
		return nil, fmt.Errorf("%w: %d; an event has one at least", ErrMaxKeys, o.MaxKeys)
	}
	s, err := newSink(o.MaxKeys, key)
	if err != nil {
		return nil, err
	}
	sub, err := f.Subscribe(ctx, r, s)
	if err != nil {
		return nil, err
	}
	return &Subscription[T, K]{sink: s, sub: sub}, nil
}

// Next returns the newest event of the key that has waited longest, and waits for one while the Subscription
// lives. When it has ended, what was not read comes first, then, as often as asked, the error that Err
// returns. If ctx ends while Next waits, it returns the cause and has taken nothing. Several goroutines
// may read; each event then goes to one of them.
func (s *Subscription[T, K]) Next(ctx context.Context) (v T, err error) {
	err = s.sink.lot.Await(ctx, func() (ok bool) {
		v, ok = s.sink.take()
		return ok
	})
	return v, err
}

// All returns the events as Next does, and at the end the error that Err returns, with a zero event. Leaving
// the loop early cancels the Subscription; what was not read stays readable by Next.
func (s *Subscription[T, K]) All() iter.Seq2[T, error] { return pull.All(s.Next, s.sub.Cancel) }

// Lost returns how many accepted events were replaced before they were read. While writers are on their way
// it may lack theirs.
func (s *Subscription[T, K]) Lost() uint64 { return s.sink.Lost() }

// Len returns how many keys wait to be read.
func (s *Subscription[T, K]) Len() int {
	n, _ := s.sink.Held()
	return n
}

// Cancel ends the Subscription. It waits for nothing; what was not read stays readable.
func (s *Subscription[T, K]) Cancel() { s.sub.Cancel() }

// Done returns a channel that is closed when the Subscription is over. What was not read is readable still.
func (s *Subscription[T, K]) Done() <-chan struct{} { return s.sub.Done() }

// Err returns nil while the Subscription lives, and why it ended once it is over.
func (s *Subscription[T, K]) Err() error { return s.sub.Err() }

// ID returns the Subscription's number within its Fanout.
func (s *Subscription[T, K]) ID() uint64 { return s.sub.ID() }

// Region returns what was asked for.
func (s *Subscription[T, K]) Region() region.Region { return s.sub.Region() }
