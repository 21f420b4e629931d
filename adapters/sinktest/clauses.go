package sinktest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/core"
)

// The clauses' names.
const (
	signatures     = "optional methods have core's signatures"
	attachFirst    = "Attach before the first Offer"
	neverBlocks    = "never blocks"
	givesVerdict   = "answers with a verdict"
	closeReturns   = "Close returns soon"
	delivers       = "accepted is delivered, and nothing else"
	fullIsRefused  = "full means refused"
	once           = "delivers nothing twice"
	keepsNoRefused = "keeps nothing it refused, refuses nothing it kept"
	order          = "order"
	makesRoom      = "reading makes room"
	closedOnce     = "closed once and last"
	staysReadable  = "buffered stays readable"
	causeReadable  = "cause readable"
	gaugeIsTrue    = "the Gauge tells the truth"
	lostIsExact    = "Lost is exact"
	concurrent     = "concurrent offers"
	chanAgrees     = "Chan agrees with Offer"
	notRetained    = "nothing retained after close"
)

// sound is what every clause but the first few rests on.
var sound = []string{attachFirst, neverBlocks, givesVerdict, closeReturns}

// also returns sound and more.
func also(more ...string) []string { return slices.Concat(sound, more) }

// clauses are in order: each after those that it needs.
var clauses = []clause{
	{signatures, nil, checkSignatures},
	{attachFirst, nil, checkAttachFirst},
	{neverBlocks, []string{attachFirst}, checkNeverBlocks},
	{givesVerdict, []string{attachFirst, neverBlocks}, checkGivesVerdict},
	{closeReturns, []string{attachFirst, neverBlocks, givesVerdict}, checkCloseReturns},
	{delivers, sound, checkDelivers},
	{fullIsRefused, also(delivers), checkFullIsRefused},
	{once, also(delivers), checkOnce},
	{keepsNoRefused, also(delivers), checkKeepsNoRefused},
	{order, also(delivers), checkOrder},
	{makesRoom, also(fullIsRefused, delivers, once), checkMakesRoom},
	{closedOnce, also(delivers, once), checkClosedOnce},
	{staysReadable, also(delivers), checkStaysReadable},
	{causeReadable, sound, checkCauseReadable},
	{gaugeIsTrue, also(fullIsRefused, delivers, once, makesRoom, closedOnce, staysReadable), checkGauge},
	{lostIsExact, also(fullIsRefused, delivers, once, closedOnce, staysReadable), checkLost},
	{concurrent, also(fullIsRefused, delivers, once, keepsNoRefused, order, closedOnce, staysReadable, lostIsExact), checkConcurrent},
	{chanAgrees, also(fullIsRefused, delivers), checkChan},
	{notRetained, also(delivers), checkNotRetained},
}

// overfull is how many events checks offer to a sink that nobody reads.
func overfull(capacity int) int { return 3*capacity + 2 }

// checkNeverBlocks: an Offer returns though nobody reads.
func checkNeverBlocks(open func() Subject) error {
	return within(patience, func() error {
		t, err := begin(open)
		if err != nil {
			return err
		}
		t.broadcast(overfull(t.Capacity))
		t.sub.Cancel()
		return nil
	})
}

// A witness notes what is wrong with the answers of the sink that it stands for. The Fanout's count of panics would not
// do: the sink's Close, which is another clause's, may have panicked by the time that it is read.
type witness struct {
	core.Sink[int]
	fault *error
}

func (w witness) Offer(v int) core.Verdict {
	panics := true
	defer func() {
		if panics {
			*w.fault = errors.New("Offer panicked")
		}
	}()
	verdict := w.Sink.Offer(v)
	panics = false
	if verdict > core.Closed && *w.fault == nil {
		*w.fault = fmt.Errorf("Offer answered Verdict(%d), which is none of core's", verdict)
	}
	return verdict
}

func (w witness) Attach(s *core.Subscription) {
	if a, ok := w.Sink.(attachSink); ok {
		a.Attach(s)
	}
}

// checkGivesVerdict: an Offer answers with one of the three, and doesn't panic. Where there is a Chan, no Offer is called.
func checkGivesVerdict(open func() Subject) error {
	var fault error
	t, err := begin(func() Subject {
		s := open()
		if _, ok := s.Sink.(chanSink); !ok && s.Sink != nil {
			s.Sink = witness{s.Sink, &fault}
		}
		return s
	})
	if err != nil {
		return err
	}
	t.broadcast(overfull(t.Capacity))
	t.sub.Cancel()
	return fault
}

// checkDelivers: what was accepted while there was room is received, the last of it too, and nothing that wasn't offered.
func checkDelivers(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	t.broadcast(t.Capacity)
	t.drain()
	t.sub.Cancel()
	if v, found := missing(t.accepted, t.received); found {
		return fmt.Errorf("event %d was accepted and is not received: %s of %s", v, some(t.received), some(t.accepted))
	}
	if v, found := missing(t.received, t.accepted); found {
		return fmt.Errorf("%d is received and was not offered: %s of %s", v, some(t.received), some(t.accepted))
	}
	return nil
}

// checkFullIsRefused: Capacity events fit, and the next is refused as Full; a Lossy sink refuses none.
func checkFullIsRefused(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	n := t.Capacity + 1
	if t.Lossy {
		n = overfull(t.Capacity)
	}
	t.broadcast(n)
	got := t.drain()
	if err := t.end(); err != nil {
		return err
	}
	if t.Lossy {
		if len(t.refused) > 0 {
			return fmt.Errorf("event %d was refused; a lossy sink makes room", t.refused[0])
		}
		if len(got) > t.Capacity {
			return fmt.Errorf("it held %d events; its capacity is %d", len(got), t.Capacity)
		}
		return nil
	}
	if len(t.accepted) != t.Capacity {
		return fmt.Errorf("of %d events %d were accepted; its capacity is %d, and nobody read", n, len(t.accepted), t.Capacity)
	}
	pruned := prunedBy(t)
	if pruned == nil {
		return fmt.Errorf("the subscription ended by %w, not by a refusal", t.sub.Err())
	}
	if pruned.Verdict != core.Full {
		return fmt.Errorf("the answer to one event too many was %v, not full", pruned.Verdict)
	}
	return nil
}

// checkOnce: no event is received again, at once or later.
func checkOnce(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	for range 3 {
		t.broadcast((t.Capacity + 1) / 2)
		t.drain()
		t.drain()
	}
	if err := t.end(); err != nil {
		return err
	}
	t.drain()
	seen := make(map[int]bool)
	for _, v := range t.received {
		if seen[v] {
			return fmt.Errorf("event %d was received twice: %s", v, some(t.received))
		}
		seen[v] = true
	}
	return nil
}

// checkKeepsNoRefused: what is received is what was accepted, before the end and after it.
func checkKeepsNoRefused(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	t.broadcast(overfull(t.Capacity))
	t.drain()
	if err := t.wait(); err != nil {
		return err
	}
	t.drain()
	t.sub.Cancel()
	for _, v := range t.received {
		if slices.Contains(t.refused, v) {
			return fmt.Errorf("event %d was refused, and is received", v)
		}
	}
	return nil
}

// checkOrder: one goroutine's events are received in the order in which they were offered.
func checkOrder(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	for _, n := range []int{t.Capacity, (t.Capacity + 1) / 2, t.Capacity} {
		t.broadcast(n)
		t.drain()
	}
	t.sub.Cancel()
	for i := 1; i < len(t.received); i++ {
		if t.received[i] < t.received[i-1] {
			return fmt.Errorf("event %d was received after %d, and offered before it", t.received[i], t.received[i-1])
		}
	}
	return nil
}

// checkMakesRoom: a sink that was read has room for as many again, time after time.
func checkMakesRoom(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	for lap := range 4 {
		t.broadcast(t.Capacity)
		if len(t.refused) > 0 {
			return fmt.Errorf("event %d was refused, the time that it was filled for the %dth time; all before was read", t.refused[0], lap+1)
		}
		before := t.next - t.Capacity
		if got := t.drain(); len(got) < t.Capacity {
			return fmt.Errorf("it received %s, filled for the %dth time with %d to %d", some(got), lap+1, before, t.next-1)
		}
	}
	t.sub.Cancel()
	return nil
}
