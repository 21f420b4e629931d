package prometheus_test

import (
	"iter"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a core.Source that says what it is told to, and fails the test if its subscriptions are walked.
type source struct {
	t     testing.TB
	name  string
	stats func() core.Stats
}

func (s source) Name() string      { return s.name }
func (s source) Stats() core.Stats { return s.stats() }

func (s source) Subscriptions() iter.Seq[core.Info] {
	s.t.Error("a scrape asked for the subscriptions")
	return func(func(core.Info) bool) {}
}

// fixed returns a source whose figures stay as they are.
func fixed(t testing.TB, name string, stats core.Stats) source {
	return source{t, name, func() core.Stats { return stats }}
}

// sink takes everything.
type sink struct{}

func (sink) Offer(int) core.Verdict { return core.Accepted }
func (sink) Close(error)            {}
