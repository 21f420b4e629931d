package debug_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a core.Source that says what it is told to.
type source struct {
	name  string
	stats core.Stats
	infos iter.Seq[core.Info]
}

func (s source) Name() string                       { return s.name }
func (s source) Stats() core.Stats                  { return s.stats }
func (s source) Subscriptions() iter.Seq[core.Info] { return s.infos }

func of(name string, infos ...core.Info) source {
	return source{name: name, infos: slices.Values(infos)}
}

// end closes f and waits for that.
func end[T any](t *testing.T, f *core.Fanout[T]) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}
