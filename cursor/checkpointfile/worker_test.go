package checkpointfile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A history is one Log, the Workers of one name that came and went over it, by crashes and power cuts, and what they handled.
type history struct {
	draw   func(what string, n int) int // a number below n
	log    *memlog.Log
	disk   *sim
	batch  int // of all workers, and so is every: they say how far one of them may have come beyond the saved place
	every  int
	killer uint64 // the event that ends the process of whoever handles it

	mu        sync.Mutex
	ours      []uint64 // the sequences of the region's events
	handled   map[uint64]bool
	skipped   map[uint64]bool
	begun     map[uint64]int
	crashes   int    // but for the killer's
	takeovers int    // by a second worker, which can't know that the first one lives
	killed    bool   // by the killer, in this round
	crashAt   int    // which handling of this round ends the process; -1: none
	afterIt   bool   // once it is done
	secondAt  int    // at which handling a second worker of the name begins; -1: never
	calls     int    // handlings, in this round
	place     uint64 // the highest that was seen saved
	second    *cursor.Worker
	err       error // the first promise that was broken
}

const attempts = 4

var mine = region.Region{Scope: "shop"}

func (h *history) broken(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf(format, args...)
	}
}

// append adds events to the log, the last of them ours.
func (h *history) append() error {
	n := 1 + h.draw("events", 12)
	for i := range n {
		scope := "shop"
		if i < n-1 && h.draw("other region", 3) == 0 {
			scope = "bank"
		}
		c, err := region.NewCoordinate(fmt.Sprintf("entity-%d", h.draw("entity", 3)), scope)
		if err != nil {
			return err
		}
		made, err := h.log.Append(ctx, []cursor.Draft{{Coordinate: c}})
		if err != nil {
			return err
		}
		if scope == "shop" {
			h.ours = append(h.ours, made[0].Sequence)
		}
	}
	return nil
}

// handle looks whether the event may come now, and crashes where it is to.
func (h *history) handle(o cursor.WorkerOptions, e core.Envelope) (cursor.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, seq := range h.ours {
		if seq < e.Sequence && !h.handled[seq] && !h.skipped[seq] {
			h.broken("event %d comes before %d was handled", e.Sequence, seq)
		}
	}
	h.begun[e.Sequence]++
	call := h.calls
	h.calls++
	h.killed = h.killed || e.Sequence == h.killer
	dies := call == h.crashAt || e.Sequence == h.killer
	if dies && (!h.afterIt || e.Sequence == h.killer) {
		h.disk.kill()
		return cursor.StopWithRollback, nil
	}
	h.handled[e.Sequence] = true
	if dies {
		h.disk.kill()
		return cursor.StopWithRollback, nil
	}
	if call == h.secondAt && h.second == nil {
		h.takeovers++
		h.second, _ = cursor.StartWorker(ctx, h.log, o) // which may die at once
	}
	if e.Sequence == h.ours[len(h.ours)-1] {
		return cursor.Stop, nil
	}
	return cursor.Continue, nil
}

func (h *history) options() cursor.WorkerOptions {
	o := cursor.WorkerOptions{
		Name: "worker", Region: mine, Checkpoints: h.disk.store(), Attempts: attempts, FirstPause: 1, MostPause: 1,
		Batch: h.batch, Every: h.every,
		Poison: cursor.SkipPoison,
		Skipped: func(p *cursor.PoisonError) {
			h.mu.Lock()
			defer h.mu.Unlock()
			seq := p.Event.Sequence
			h.skipped[seq] = true
			// The killer's first time may be counted for the event that its span began with.
			if h.begun[seq] == 0 || seq != h.killer && h.crashes+h.takeovers+1 < attempts {
				h.broken("event %d is skipped, begun %d times, after %d crashes: %w", seq, h.begun[seq], h.crashes, p)
			}
		},
	}
	if h.draw("by batch", 2) == 0 {
		o.Handle = func(_ context.Context, e core.Envelope) (cursor.Answer, error) { return h.handle(o, e) }
		return o
	}
	o.HandleBatch = func(_ context.Context, es []core.Envelope) (cursor.Answer, error) {
		for _, e := range es {
			if answer, err := h.handle(o, e); answer != cursor.Continue || err != nil {
				return answer, err
			}
		}
		return cursor.Continue, nil
	}
	return o
}

// round runs a worker until it has handled all, or dies, at a handling or at a call of the disk; then the power is cut. The
// last round lets it live.
func (h *history) round(last bool) error {
	if err := h.append(); err != nil {
		return err
	}
	h.calls, h.crashAt, h.secondAt, h.second, h.killed = 0, -1, -1, nil, false
	h.afterIt = h.draw("after it", 2) == 0
	if !last {
		switch h.draw("dies", 3) {
		case 0:
			h.crashAt = h.draw("at handling", 12)
		case 1:
			h.disk.failAt, h.disk.dead = len(h.disk.calls)+h.draw("at call", 40), true
			h.disk.failAfterwards = h.draw("done", 2) == 0
		}
		if h.draw("second", 3) == 0 {
			h.secondAt = h.draw("second at", 10)
		}
	}
	w, err := cursor.StartWorker(ctx, h.log, h.options())
	if err == nil {
		err = w.Wait(ctx)
	}
	h.mu.Lock()
	second := h.second
	h.mu.Unlock()
	if second != nil {
		err = errors.Join(err, second.Wait(ctx))
	}
	dead := h.disk.failAt >= 0 && len(h.disk.calls) > h.disk.failAt || h.crashAt >= 0 && h.calls > h.crashAt || h.disk.failAt >= 0
	if err != nil && !errors.Is(err, errInjected) && !errors.Is(err, cursor.ErrFenced) {
		return fmt.Errorf("the worker ended: %w", err)
	}
	if dead || h.draw("cut all the same", 2) == 0 {
		deafFile, deafFolder := h.disk.deafFile, h.disk.deafFolder
		h.disk = h.disk.cut(rand.New(rand.NewPCG(uint64(h.draw("cut", 1<<30)), 3)))
		h.disk.deafFile, h.disk.deafFolder = deafFile, deafFolder
	}
	if dead && !h.killed {
		h.crashes++
	}
	if err := h.look(w); err != nil {
		return err
	}
	return h.err
}

// look compares what is saved with what was handled, and with what the worker knew to be saved.
func (h *history) look(w *cursor.Worker) error {
	c, err := h.disk.store().Load(ctx, "worker")
	if errors.Is(err, cursor.ErrNoCheckpoint) && h.place == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading it again: %w", err)
	}
	if w != nil {
		h.place = max(h.place, w.Status().Place)
	}
	if c.Place < h.place {
		return fmt.Errorf("the place was %d, and is %d", h.place, c.Place)
	}
	h.place = c.Place
	for _, seq := range h.ours {
		if seq < c.Place && !h.handled[seq] && !h.skipped[seq] {
			return fmt.Errorf("the place is %d; event %d was not handled", c.Place, seq)
		}
	}
	return nil
}

// live lives through a history; an error says which promise was broken.
func live(draw func(what string, n int) int, change func(*sim)) error {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	h := &history{
		draw: draw, log: log, disk: newSim(), killer: 1 << 63, batch: 1 + draw("batch", 5), every: draw("every", 4),
		handled: make(map[uint64]bool), skipped: make(map[uint64]bool), begun: make(map[uint64]int),
	}
	change(h.disk)
	if draw("killer", 2) == 0 {
		h.killer = uint64(draw("which", 12))
	}
	rounds := 1 + draw("rounds", 5)
	for range rounds {
		if err := h.round(false); err != nil {
			return err
		}
	}
	for len(h.ours) < 12 { // so that the killer is there
		if err := h.append(); err != nil {
			return err
		}
	}
	for range attempts + 3 { // it may still kill
		if err := h.round(true); err != nil {
			return err
		}
	}
	for _, seq := range h.ours {
		if !h.handled[seq] && !h.skipped[seq] {
			return fmt.Errorf("event %d was never handled", seq)
		}
	}
	if n := h.begun[h.killer]; h.takeovers == 0 && n > attempts+1 {
		return fmt.Errorf("the killer was begun %d times", n)
	}
	return nil
}

// TestH113WorkersAndCrashes: whatever ends the process, wherever, the power included, and whoever else claims the name: every event is
// handled at least once, those of an entity in order, and the saved place never passes one that wasn't, nor moves back.
func TestH113WorkersAndCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := live(func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) }, func(*sim) {}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCrashesFindMissingSyncs: the same histories break a promise where a sync does nothing.
func TestCrashesFindMissingSyncs(t *testing.T) {
	for name, change := range map[string]func(*sim){
		"of the file":   func(s *sim) { s.deafFile = true },
		"of the folder": func(s *sim) { s.deafFolder = true },
	} {
		found := false
		for seed := range uint64(100) {
			random := rand.New(rand.NewPCG(seed, 5))
			if live(func(_ string, n int) int { return random.IntN(n) }, change) != nil {
				found = true
				break
			}
		}
		if !found {
			t.Errorf("without the sync %s nothing is broken: the test sees nothing", name)
		}
	}
}
