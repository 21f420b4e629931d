package sse

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// A problem is why a request gets no stream, as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	Log   string  `json:"log,omitempty"`   // the identity of the log that is there, as it stands in ids
	Left  *uint64 `json:"left,omitempty"`  // the first sequence that can be read
	Next  *uint64 `json:"next,omitempty"`  // the sequence of the event to be appended next
	Retry int     `json:"retry,omitempty"` // in so many seconds it may do
}

// problemType begins the types of problems. They are names, and lead nowhere.
const problemType = "https://spillwayhq.github.io/problems/"

func newProblem(status int, name, title, detail string) *problem {
	return &problem{Type: problemType + name, Title: title, Status: status, Detail: detail}
}

// again says when it may do: not before wait, and not all at once.
func (p *problem) again(wait time.Duration) *problem {
	s := max(1, int((wait+time.Second-1)/time.Second))
	p.Retry = s + rand.IntN(s+1)
	return p
}

// write answers a request with the problem.
func (p *problem) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if p.Retry > 0 {
		header.Set("Retry-After", strconv.Itoa(p.Retry))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who has gone reads nothing
}
