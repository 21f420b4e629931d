// Package problem says over HTTP what went wrong, as RFC 9457 has it: a status, a type for programs, and a sentence for people that
// says what to do.
package problem

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// ContentType is what a Problem is sent as.
const ContentType = "application/problem+json"

// A Problem is an error that is the answer to a request. Its JSON is a promise to clients.
type Problem struct {
	Type   string `json:"type"`   // which problem of this status it is; a name, which leads nowhere
	Title  string `json:"title"`  // the status in words
	Status int    `json:"status"` // 400 and up
	Detail string `json:"detail"` // what is wrong, and what to do

	// These are of events that were sent.
	Accepted *int    `json:"accepted,omitempty"` // how many are in the log: the first so many of the body
	First    *uint64 `json:"first,omitempty"`    // the sequence of the first of them
	Last     *uint64 `json:"last,omitempty"`     // and of the last
	Event    int     `json:"event,omitempty"`    // which event of the body is at fault, from 1; 0: none

	// These are of a place that can't be read: where the log can be.
	Left *uint64 `json:"left,omitempty"` // the first sequence that is left
	Next *uint64 `json:"next,omitempty"` // the sequence of the event to be appended next

	Wait time.Duration `json:"-"` // when to try again, as Retry-After; 0: that helps nothing
}

// types begins the types of problems, as in adapters/sse.
const types = "https://spillwayhq.github.io/problems/"

// New returns the Problem of a status, and of a name.
func New(status int, name, format string, args ...any) *Problem {
	return &Problem{Type: types + name, Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

func (p *Problem) Error() string { return p.Detail }

// After has a client try again after d.
func (p *Problem) After(d time.Duration) *Problem {
	p.Wait = d
	return p
}

// At says which event of the body is at fault, from 1.
func (p *Problem) At(event int) *Problem {
	p.Event = event
	return p
}

// Write answers a request with the Problem.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil { // none of its fields can fail
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.Wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.Wait+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // if that fails there is nobody to tell
}
