//go:build spillway_steps

package core_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A subscription is cancelled while Subscribe is about to open it, and is done before Subscribe has returned. The
// population, which counts it in and out, says nothing of the others meanwhile but that they live.
func TestDoneBeforeSubscribeReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer core.OnStep(nil)
		f := core.New(located())
		got := 0
		subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { got++; return core.Accepted }})

		stops := map[string]chan struct{}{"cancel:won": make(chan struct{}), "subscribe:opened": make(chan struct{})}
		won := make(chan struct{}, 2) // the other one's end is the second
		core.OnStep(func(name string) {
			if name == "cancel:won" {
				won <- struct{}{}
			}
			if stop := stops[name]; stop != nil {
				<-stop
			}
		})
		var kept atomic.Pointer[core.Subscription]
		a := &attached{keep: &kept, attach: func() {
			go kept.Load().Cancel()
			<-won
		}}
		go func() { _, _ = f.Subscribe(t.Context(), region.Region{}, a) }()
		synctest.Wait() // it is open, and its Subscribe has not returned
		close(stops["cancel:won"])
		synctest.Wait()

		if !f.HasSubscribers() || f.Len() != 1 {
			t.Errorf("HasSubscribers %v, Len %d; want true, 1", f.HasSubscribers(), f.Len())
		}
		wantOutcome(t, "meanwhile", f.Broadcast(event{"a", 1}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
		if st := f.Stats(); got != 1 || st.Live != 1 || st.Retiring != 0 || st.Cancelled != 1 {
			t.Errorf("%d events, Stats %+v; want one, one live, and nobody on the way out", got, st)
		}
		close(stops["subscribe:opened"])
		synctest.Wait()
		if st := f.Stats(); st.Live != 1 || st.Retiring != 0 || st.Cancelled != 1 || !over(kept.Load()) {
			t.Errorf("afterwards: Stats %+v", st)
		}
		_ = f.Close()
		wait(t, f)
	})
}
