package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// tree is the entities of the log as their names divide them, and how many events each has. It has a bound: then new names are
// counted with what they are below. One goroutine reads the log, from its beginning on, until halt.
type tree struct {
	stop context.CancelFunc
	gone chan struct{}

	mu    sync.RWMutex // held for a batch of events, or one answer
	root  branch
	names int // that there is still room for
}

// A branch is what stands between two colons, or at an entity's end.
type branch struct {
	events   uint64 // of it and all below
	below    map[string]*branch
	overflow bool // there are more below than there was room for
}

// growTree reads a log.
func growTree(log cursor.Log, names int, logger *slog.Logger) *tree {
	ctx, stop := context.WithCancel(context.Background())
	t := &tree{stop: stop, gone: make(chan struct{}), names: names}
	go func() {
		defer close(t.gone)
		if err := t.read(ctx, log); ctx.Err() == nil && !errors.Is(err, cursor.ErrClosed) {
			logger.Error("the tree of entities is no longer kept", "error", err)
		}
	}()
	return t
}

func (t *tree) halt() {
	t.stop()
	<-t.gone
}

// read reads until it can't.
func (t *tree) read(ctx context.Context, log cursor.Log) error {
	start := cursor.FromStart()
	events := make([]core.Envelope, 512)
	for {
		c, err := cursor.Open(ctx, log, region.Region{}, start)
		for n := 0; err == nil; {
			if n, err = c.NextBatch(ctx, events); err == nil {
				t.add(events[:n])
				clear(events[:n])
			}
		}
		compacted, ok := errors.AsType[*cursor.CompactedError](err)
		if !ok {
			return err
		}
		start = cursor.From(compacted.First) // what was dropped meanwhile is not counted
	}
}

func (t *tree) add(events []core.Envelope) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range events {
		b := &t.root
		b.events++
		for name := range strings.SplitSeq(events[i].Coordinate.Entity(), ":") {
			next := b.below[name]
			if next == nil {
				if t.names == 0 {
					b.overflow = true
					break
				}
				t.names--
				if b.below == nil {
					b.below = make(map[string]*branch)
				}
				next = new(branch)
				b.below[strings.Clone(name)] = next
			}
			b = next
			b.events++
		}
	}
}

// A child is one name below a prefix. Its JSON is a promise to clients.
type child struct {
	Name   string `json:"name"`
	Events uint64 `json:"events"`
	More   bool   `json:"more"` // there are names below it
}

// children returns what is below a prefix, in order, behind a name, and whether there is more.
func (t *tree) children(prefix, after string, limit int) (some []child, more bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	b := &t.root
	if prefix != "" {
		for name := range strings.SplitSeq(prefix, ":") {
			if b = b.below[name]; b == nil {
				return []child{}, false
			}
		}
	}
	names := slices.Sorted(maps.Keys(b.below))
	at, found := slices.BinarySearch(names, after)
	if found {
		at++
	}
	some = []child{}
	for _, name := range names[at:] {
		if len(some) == limit {
			return some, true
		}
		c := b.below[name]
		some = append(some, child{Name: name, Events: c.events, More: len(c.below) > 0 || c.overflow})
	}
	return some, b.overflow
}

func (t *tree) size(most int) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return most - t.names
}

// getTree answers with the names below a prefix.
func (s *Server) getTree(w http.ResponseWriter, r *http.Request) {
	q, p := query(r, "prefix", "after", "limit")
	if p != nil {
		p.Write(w)
		return
	}
	limit, p := limited(q["limit"], 200, 1000)
	if p == nil && q["prefix"] != "" {
		if err := (region.Region{Entity: q["prefix"]}).Validate(); err != nil {
			p = problem.New(http.StatusBadRequest, "prefix", "The prefix is no entity's beginning: %s.", strings.TrimPrefix(err.Error(), "spillway/region: "))
		}
	}
	if p != nil {
		p.Write(w)
		return
	}
	some, more := s.tree.children(q["prefix"], q["after"], limit)
	answer(w, struct {
		Prefix   string  `json:"prefix"`
		Children []child `json:"children"`
		More     bool    `json:"more"`
	}{q["prefix"], some, more})
}
