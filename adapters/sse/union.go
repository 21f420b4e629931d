package sse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A union is the feed of several Regions: a subscription each, and one queue for all. It has each event once, since of several
// that an event is offered to only the first puts it in, and it has what a subscription would that asked for exactly these
// Regions: the first event that doesn't fit ends it.
type union struct {
	events queue.Shared[core.Envelope]
	lot    park.Lot

	// full says that an event has not fitted: what comes behind it is refused, by all.
	//   written by: Offer of any of the subscriptions, once
	//   read by:    Offer, before it puts
	//   order:      a log's events are broadcast one after the other, so whoever offers the next one sees it
	full atomic.Bool

	// subs are the subscriptions, in the Regions' order. What is stored is not changed.
	//   written by: openUnion, before it begins the next one
	//   read by:    Offer, which looks whether each is live; Close and Cancel
	//   order:      whoever offers an event has passed over, in the events before it, none that he finds live now
	subs atomic.Pointer[[]*core.Subscription]

	mu    sync.Mutex
	open  int   // subscriptions that have not ended
	cause error // why the union ended: what better leaves
}

// errOther is why a subscription ends when another of its union has.
var errOther = errors.New("spillway/sse: another region of the same stream has ended")

// openUnion subscribes to the Regions, in their order.
func openUnion(ctx context.Context, f *core.Fanout[core.Envelope], regions []region.Region, capacity int) (*union, error) {
	u := &union{open: len(regions)}
	u.events.Init(capacity, 0)
	u.lot.Init()
	u.subs.Store(new([]*core.Subscription))
	for i, r := range regions {
		sub, err := f.Subscribe(ctx, r, &strand{union: u, before: regions[:i]})
		if err != nil {
			u.Cancel()
			return nil, err
		}
		subs := append(slices.Clip(*u.subs.Load()), sub)
		u.subs.Store(&subs)
		u.mu.Lock()
		ended := u.cause != nil
		u.mu.Unlock()
		if ended {
			sub.CancelCause(errOther)
		}
	}
	return u, nil
}

// A strand is the sink of one Region.
type strand struct {
	union  *union
	before []region.Region // whose events are theirs
}

// Offer says of what another strand has that it has it, too. Where one has ended, by a refusal or by whoever ended it alone, what concerned
// that one may be missing: nothing is put behind it.
func (s *strand) Offer(e core.Envelope) core.Verdict {
	u := s.union
	if u.full.Load() || u.torn() {
		return core.Full
	}
	for i := range s.before {
		if s.before[i].Match(e.Point()) {
			return core.Accepted
		}
	}
	if !u.events.Put(e) {
		u.full.Store(true)
		return core.Full
	}
	u.lot.Wake()
	return core.Accepted
}

// Close ends the others, and with the last of them the union.
func (s *strand) Close(cause error) {
	u := s.union
	u.mu.Lock()
	if u.cause == nil || u.better(cause, u.cause) {
		u.cause = cause
	}
	u.open--
	last := u.open == 0
	u.mu.Unlock()
	for _, sub := range *u.subs.Load() {
		sub.CancelCause(errOther)
	}
	if last {
		u.lot.End(u.cause)
	}
}

// torn tells whether a strand has ended.
func (u *union) torn() bool {
	for _, sub := range *u.subs.Load() {
		if !sub.Live() {
			return true
		}
	}
	return false
}

// better tells whether a is more of a reason than b. Where an event has not fitted it is the prune that missed the earliest one. Where none
// has, somebody ended a strand, and prunes are only what came of that.
func (u *union) better(a, b error) bool {
	if u.full.Load() {
		return earlier(a, b)
	}
	_, prunedA := errors.AsType[*core.PrunedError](a)
	_, prunedB := errors.AsType[*core.PrunedError](b)
	return prunedB && !prunedA && a != errOther //nolint:errorlint // itself is meant
}

// earlier tells whether a is of a subscription that missed something, and before what b's missed, if it did.
func earlier(a, b error) bool {
	prunedA, ok := errors.AsType[*core.PrunedError](a)
	if !ok {
		return false
	}
	prunedB, ok := errors.AsType[*core.PrunedError](b)
	return !ok || prunedA.HasMissed && (!prunedB.HasMissed || prunedA.Missed < prunedB.Missed)
}

// Held makes each strand a Gauge: what is in the queue is all of theirs.
func (s *strand) Held() (held, capacity int) { return s.union.events.Len(), s.union.events.Limit() }

// Next implements cursor.Feed.
func (u *union) Next(ctx context.Context) (core.Envelope, error) {
	var one [1]core.Envelope
	_, err := u.NextBatch(ctx, one[:])
	return one[0], err
}

// NextBatch is that of a ring.
func (u *union) NextBatch(ctx context.Context, dst []core.Envelope) (n int, err error) {
	err = u.lot.Await(ctx, func() bool {
		n = u.events.Take(dst)
		return n > 0
	})
	return n, err
}

// Cancel ends the union, unless it has ended.
func (u *union) Cancel() {
	for _, sub := range *u.subs.Load() {
		sub.Cancel()
	}
}

// Err returns why it has ended; nil while it lives.
func (u *union) Err() error {
	if !u.lot.Ended() {
		return nil
	}
	return u.cause
}
