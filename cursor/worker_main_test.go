package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// A notebook is a store that notes what is saved, and fails when it is told to.
type notebook struct {
	*memlog.Checkpoints
	mu    sync.Mutex
	saves []string // place and attempts of each
	fail  func(c cursor.Checkpoint) error
}

func newNotebook() *notebook { return &notebook{Checkpoints: memlog.NewCheckpoints()} }

func (n *notebook) Save(ctx context.Context, c cursor.Checkpoint) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		if err := n.fail(c); err != nil {
			return err
		}
	}
	if err := n.Checkpoints.Save(ctx, c); err != nil {
		return err
	}
	n.saves = append(n.saves, fmt.Sprintf("%d+%d", c.Place, c.Attempts))
	return nil
}

// noted returns what was saved since the last time.
func (n *notebook) noted() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := fmt.Sprint(n.saves)
	n.saves = nil
	return s
}

// A record is what a handler was given.
type record struct {
	mu   sync.Mutex
	seqs []uint64
}

func (r *record) add(es ...core.Envelope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range es {
		r.seqs = append(r.seqs, e.Sequence)
	}
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.seqs)
}

// handle is a handler that handles all.
func (r *record) handle(_ context.Context, e core.Envelope) (cursor.Answer, error) {
	r.add(e)
	return cursor.Continue, nil
}

func startWorker(t testing.TB, log cursor.Log, o cursor.WorkerOptions) *cursor.Worker {
	t.Helper()
	if o.Name == "" {
		o.Name = "worker"
	}
	w, err := cursor.StartWorker(context.Background(), log, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// stopped stops w, which must have nothing to say of it.
func stopped(t testing.TB, w *cursor.Worker) {
	t.Helper()
	w.Stop()
	if err := w.Wait(context.Background()); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

// endsWith waits for w's end.
func endsWith(t testing.TB, w *cursor.Worker, want error) error {
	t.Helper()
	err := w.Wait(context.Background())
	if !errors.Is(err, want) {
		t.Errorf("ended with %v; want %v", err, want)
	}
	return err
}
