package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
)

// A subscription is one of the fan-out. Its JSON is a promise to clients.
type subscription struct {
	ID       uint64    `json:"id"`
	Sink     string    `json:"sink"`
	Region   string    `json:"region"`
	Held     int       `json:"held"`
	Capacity int       `json:"capacity"`
	Lost     uint64    `json:"lost"`
	Since    time.Time `json:"since"`
	Site     string    `json:"site"`
	Error    string    `json:"error,omitempty"`
}

// getSubscriptions answers with the fullest.
func (s *Server) getSubscriptions(w http.ResponseWriter, r *http.Request) {
	q, p := query(r, "limit")
	if p != nil {
		p.Write(w)
		return
	}
	limit, p := limited(q["limit"], 200, 1000)
	if p != nil {
		p.Write(w)
		return
	}
	first := make([]core.Info, 0, 2*limit) // cut to the limit when it is full: it is the request's, whatever there is
	more := false
	cut := func() {
		slices.SortFunc(first, fuller)
		if len(first) > limit {
			first, more = first[:limit], true
		}
	}
	for info := range s.fanout.Subscriptions() {
		if r.Context().Err() != nil {
			return // nobody waits for it
		}
		if first = append(first, info); len(first) == cap(first) {
			cut()
		}
	}
	cut()
	some := make([]subscription, 0, len(first))
	for _, i := range first {
		one := subscription{
			ID: i.ID, Sink: i.Sink, Region: i.Region.String(), Held: i.Held, Capacity: i.Capacity, Lost: i.Lost, Since: i.Since, Site: i.Site,
		}
		if i.Err != nil {
			one.Error = i.Err.Error()
		}
		some = append(some, one)
	}
	answer(w, struct {
		Subscriptions []subscription `json:"subscriptions"`
		More          bool           `json:"more"`
	}{some, more})
}

// fuller puts the fullest first, then the oldest.
func fuller(a, b core.Info) int {
	full := func(i core.Info) float64 { return float64(i.Held) / float64(max(1, i.Capacity)) }
	return cmp.Or(cmp.Compare(full(b), full(a)), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
}

// errEnded is why a subscription ends that somebody has ended by its ID.
var errEnded = fmt.Errorf("%w by DELETE /v1/subscriptions", core.ErrCancelled)

// deleteSubscription ends one. Its stream ends, and says where to resume.
func (s *Server) deleteSubscription(w http.ResponseWriter, r *http.Request) {
	if _, p := query(r); p != nil {
		p.Write(w)
		return
	}
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		problem.New(http.StatusBadRequest, "id", "A subscription's id is a number. GET /v1/subscriptions has them.").Write(w)
		return
	}
	if !s.fanout.Cancel(id, errEnded) {
		problem.New(http.StatusNotFound, "subscription", "There is no subscription %d, or not any more.", id).Write(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
