package sinktest

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/spillwayhq/spillway/core"
)

// What a sink may have besides, as core looks for it.
type (
	chanSink   interface{ Chan() chan<- int }
	attachSink interface{ Attach(s *core.Subscription) }
	gaugeSink  interface{ Held() (held, capacity int) }
	lossySink  interface{ Lost() uint64 }
)

var optional = []struct {
	method string
	want   reflect.Type
}{
	{"Chan", reflect.TypeFor[chanSink]()},
	{"Attach", reflect.TypeFor[attachSink]()},
	{"Held", reflect.TypeFor[gaugeSink]()},
	{"Lost", reflect.TypeFor[lossySink]()},
}

// checkSignatures: a method by the name of an optional one has its signature: core finds it by that, and calls no other.
func checkSignatures(open func() Subject) error {
	s := open()
	if err := s.validate(); err != nil {
		return err
	}
	sink := reflect.TypeOf(s.Sink)
	for _, o := range optional {
		if m, ok := sink.MethodByName(o.method); ok && !sink.Implements(o.want) {
			return fmt.Errorf("%v has %s %v; core knows only %v, and calls no other",
				sink, o.method, reflect.ValueOf(s.Sink).Method(m.Index).Type(), o.want.Method(0).Type)
		}
	}
	return nil
}

// checkAttachFirst: Attach returns and doesn't panic, and leaves a subscription that lives.
func checkAttachFirst(open func() Subject) error {
	return within(patience, func() error {
		t, err := begin(open)
		if err != nil {
			return err
		}
		defer t.sub.Cancel()
		if _, has := t.Sink.(attachSink); has && t.fanout.Len() == 0 {
			return errors.New("the subscription was ended in Attach; nobody had gone")
		}
		return nil
	})
}

// checkGauge: Held tells what is received next, and the capacity, at any time.
func checkGauge(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	gauge, has := t.Sink.(gaugeSink)
	if !has {
		return nil
	}
	for i := range t.Capacity {
		t.broadcast(1)
		if err := held(gauge, t, i+1); err != nil {
			return err
		}
	}
	t.drain()
	if err := held(gauge, t, 0); err != nil {
		return err
	}
	t.broadcast(1)
	if err := t.end(); err != nil {
		return err
	}
	held, _ := gauge.Held()
	if n := len(t.drain()); held != n {
		return fmt.Errorf("after the end %d were held by Held; %d could be read", held, n)
	}
	return nil
}

func held(gauge gaugeSink, t *trial, want int) error {
	held, capacity := gauge.Held()
	if held != want || capacity != t.Capacity {
		return fmt.Errorf("by Held %d of %d are taken; %d of %d are", held, capacity, want, t.Capacity)
	}
	return nil
}

// checkLost: accepted = received + lost; a sink that is not Lossy loses nothing, a Lossy one keeps the newest.
func checkLost(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	lossy, has := t.Sink.(lossySink)
	if t.Lossy && !has {
		return errors.New("the sink is Lossy, and has no Lost() uint64 to count by")
	}
	for range 3 {
		n := t.Capacity
		if t.Lossy {
			n = overfull(t.Capacity)
		}
		t.broadcast(n)
		got := t.drain()
		if t.Lossy {
			if v, found := missing([]int{t.next - 1}, got); found {
				return fmt.Errorf("event %d is the newest, and is not received: %s", v, some(got))
			}
		}
	}
	if err := t.end(); err != nil {
		return err
	}
	t.drain()
	var lost uint64
	if has {
		lost = lossy.Lost()
	}
	if uint64(len(t.accepted)) != uint64(len(t.received))+lost {
		return fmt.Errorf("%d events were accepted, %d received, and Lost returns %d", len(t.accepted), len(t.received), lost)
	}
	return nil
}

// checkChan: a sink with a Chan is that channel, by Offer and Close too. Core calls no Offer there; who wraps the sink does.
func checkChan(open func() Subject) error {
	s := open()
	sink, has := s.Sink.(chanSink)
	if !has {
		return nil
	}
	c := sink.Chan()
	switch {
	case c == nil:
		return errors.New("its Chan is nil")
	case c != sink.Chan():
		return errors.New("its Chan is another channel each time")
	case cap(c) != s.Capacity:
		return fmt.Errorf("its Chan has room for %d events; the capacity is %d", cap(c), s.Capacity)
	}
	for i := range s.Capacity {
		if v := s.Sink.Offer(i); v != core.Accepted {
			return fmt.Errorf("Offer answered %v while Chan had %d events of %d", v, len(c), cap(c))
		}
		if len(c) != i+1 {
			return fmt.Errorf("its Chan has %d events after Offer accepted %d", len(c), i+1)
		}
	}
	if v := s.Sink.Offer(s.Capacity); v != core.Full {
		return fmt.Errorf("Offer answered %v while Chan was full", v)
	}
	got := s.Received()
	c <- s.Capacity
	got = append(got, s.Received()...)
	for i, v := range got {
		if v != i {
			return fmt.Errorf("offered were 0 to %d, the last by Chan; received is %s", s.Capacity, some(got))
		}
	}
	if len(got) != s.Capacity+1 {
		return fmt.Errorf("offered were 0 to %d, the last by Chan; received is %s", s.Capacity, some(got))
	}
	s.Sink.Close(core.ErrCancelled)
	return nil
}
