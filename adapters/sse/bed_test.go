package sse_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A bed is a log, its journal and fan-out, and a Handler behind a real server.
type bed struct {
	t       *testing.T
	log     *memlog.Log
	fanout  *core.Fanout[core.Envelope]
	journal *cursor.Journal
	handler *sse.Handler
	server  *httptest.Server
	id      string // the log's, as in ids
}

func newFanout() *core.Fanout[core.Envelope] {
	return core.New(core.Config[core.Envelope]{Name: "events", Locate: core.Envelope.Point})
}

// open makes a bed. change may change the options, also to have no log.
func open(t *testing.T, change func(*sse.Options)) *bed {
	t.Helper()
	return openWith(t, memlog.Options{}, change)
}

func openWith(t *testing.T, lo memlog.Options, change func(*sse.Options)) *bed {
	t.Helper()
	log, err := memlog.New(lo)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, log: log, fanout: newFanout()}
	b.id = log.ID().String()[24:]
	b.journal = cursor.NewJournal(log, b.fanout, cursor.JournalOptions{})
	o := sse.Options{Fanout: b.fanout, Log: log, Retry: time.Millisecond}
	if change != nil {
		change(&o)
	}
	if b.handler, err = sse.NewHandler(o); err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(b.handler)
	t.Cleanup(func() {
		b.server.CloseClientConnections()
		b.server.Close()
		if err := b.journal.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := b.fanout.Close(); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// draft is the n-th event of an entity.
func draft(entity string, n int) cursor.Draft {
	c, err := region.NewCoordinate(entity, "shop")
	if err != nil {
		panic(err)
	}
	return cursor.Draft{EventID: cursor.NewID(), Coordinate: c, Kind: region.KindData, Payload: fmt.Appendf(nil, `{"n":%d}`, n)}
}

// append appends events of an entity.
func (b *bed) append(entity string, n int) {
	b.t.Helper()
	ds := make([]cursor.Draft, n)
	for i := range ds {
		ds[i] = draft(entity, i)
	}
	if _, err := b.journal.Append(context.Background(), ds); err != nil {
		b.t.Fatal(err)
	}
}

// at is the id of a sequence.
func (b *bed) at(seq uint64) string { return fmt.Sprintf("%s-%d", b.id, seq) }

// get makes a request that is answered at once.
func (b *bed) get(query string, header http.Header) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+query, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// follow reads n events by Follow, and returns their sequences.
func (b *bed) follow(query string, o sse.FollowOptions, n int) (got []uint64) {
	b.t.Helper()
	for e, err := range sse.Follow(b.t.Context(), b.server.URL+query, o) {
		if err != nil {
			b.t.Fatal(err)
		}
		env, err := e.Envelope()
		if err != nil {
			b.t.Fatal(err)
		}
		if want := b.at(env.Sequence); e.ID != want || e.LastID != want {
			b.t.Fatalf("event %d has id %q", env.Sequence, e.ID)
		}
		if got = append(got, env.Sequence); len(got) == n {
			break
		}
	}
	return got
}
