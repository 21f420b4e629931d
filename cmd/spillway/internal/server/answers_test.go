package server_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A slow log is one whose Read waits, for who reads pages of seven.
type slow struct {
	cursor.Log
	reading chan struct{}
	goOn    chan struct{}
}

func (l slow) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if len(dst) == 7 {
		l.reading <- struct{}{}
		<-l.goOn
	}
	return l.Log.Read(ctx, r, from, dst)
}

// busy is a bed that is making an answer, until it is released.
func busy(t *testing.T, change func(*server.Options)) (b *bed, release func()) {
	t.Helper()
	l := slow{reading: make(chan struct{}), goOn: make(chan struct{})}
	b = open(t, func(o *server.Options) {
		l.Log = o.Log
		o.Log = l
		change(o)
	})
	r := b.request(http.MethodGet, "/v1/log?limit=7", http.NoBody)
	answered := make(chan reply, 1)
	go func() { answered <- b.try(r) }()
	<-l.reading
	return b, func() {
		close(l.goOn)
		if r := <-answered; r.status != http.StatusOK {
			t.Errorf("the answer that was held: %d %s", r.status, r.body)
		}
	}
}

// Answers that take room are bounded, in all and of a client, until they are sent; the others are told when to come back.
func TestAnswersAreBounded(t *testing.T) {
	for _, c := range []struct {
		all, own, status int
		kind             string
	}{{1, 9, http.StatusServiceUnavailable, "busy"}, {9, 1, http.StatusTooManyRequests, "answers"}} {
		b, release := busy(t, func(o *server.Options) { o.Bounds.Answers, o.Bounds.AnswersPerClient = c.all, c.own })
		for _, path := range []string{"/v1/log", "/v1/tree", "/v1/subscriptions", "/debug/spillway"} {
			if r := b.get(path); !r.is(t, c.status, c.kind) || r.header.Get("Retry-After") != "1" {
				t.Errorf("%s: got %d %s %v", path, r.status, r.body, r.header)
			}
		}
		if r := b.get("/readyz"); r.status != http.StatusOK {
			t.Errorf("readyz: %d %s", r.status, r.body)
		}
		release()
		for range 20 {
			if r := b.get("/v1/log"); r.status != http.StatusOK {
				t.Errorf("afterwards: %d %s", r.status, r.body)
			}
		}
	}
}

// A shy log is one whose figures wait to be asked for.
type shy struct {
	cursor.Log
	asked chan struct{}
	goOn  chan struct{}
}

func (l shy) LogStats() cursor.LogStats {
	l.asked <- struct{}{}
	<-l.goOn
	return cursor.LogStats{}
}

// Scrapes are bounded, too, and refused as anything else is.
func TestScrapesAreBounded(t *testing.T) {
	l := shy{asked: make(chan struct{}), goOn: make(chan struct{})}
	b := open(t, func(o *server.Options) {
		l.Log = o.Log
		o.Log = l
	})
	answered := make(chan reply, 4)
	for range cap(answered) {
		r := b.request(http.MethodGet, "/metrics", http.NoBody)
		go func() { answered <- b.try(r) }()
		<-l.asked
	}
	if r := b.get("/metrics"); !r.is(t, http.StatusServiceUnavailable, "busy") || r.header.Get("Retry-After") != "1" {
		t.Errorf("the fifth: %d %s", r.status, r.body)
	}
	close(l.goOn)
	for range cap(answered) {
		if r := <-answered; r.status != http.StatusOK {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
}
