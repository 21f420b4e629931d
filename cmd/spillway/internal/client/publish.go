package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/core"
)

// An Event is one to be sent: its id, names and payload are the Envelope's.
type Event struct {
	core.Envelope

	Expect *uint32 // the entity's clock that it is for; nil: any
	Where  string  // it was found, for errors; "" is nowhere to be told
}

// A Receipt is what a server says of events that it has. Its JSON is a promise to scripts.
type Receipt struct {
	Accepted int     `json:"accepted"`
	First    *uint64 `json:"first"` // the sequence of the first of them; nil where none was
	Last     *uint64 `json:"last"`
}

// Add counts another Receipt, or what a Problem says, in.
func (a *Receipt) Add(accepted int, first, last *uint64) {
	a.Accepted += accepted
	if first != nil && (a.First == nil || *first < *a.First) {
		a.First = first
	}
	if last != nil && (a.Last == nil || *last > *a.Last) {
		a.Last = last
	}
}

// Retries is how long to go on where a server doesn't answer, or says that it is too busy.
type Retries struct {
	For     time.Duration                      // since it last answered; 0: not at all
	Waiting func(cause error, d time.Duration) // is told each time; nil: nobody is
}

const (
	firstWait = 100 * time.Millisecond
	mostWait  = 5 * time.Second
)

// Publish sends events, which have ids, in one request, and sends the same again where that may help. Whatever it returns, the Receipt
// says what is known to be in the log: the first so many.
func (c *Client) Publish(ctx context.Context, events []Event, p Retries) (Receipt, error) {
	body, err := encode(events)
	if err != nil {
		return Receipt{}, err
	}
	var known Receipt // of earlier attempts
	until := time.Now().Add(p.For)
	for wait := firstWait; ; wait = min(2*wait, mostWait) {
		var a Receipt
		err := c.post(ctx, body, &a)
		var no *Problem
		var lost *unreached
		switch {
		case err == nil:
			return a, nil
		case ctx.Err() != nil:
			return known, context.Cause(ctx)
		case errors.As(err, &no):
			if no.Accepted > known.Accepted {
				known = Receipt{no.Accepted, no.First, no.Last}
			}
			if !no.again() {
				return known, at(events, no)
			}
		case !errors.As(err, &lost):
			return known, err
		}
		pause := wait/2 + rand.N(wait)
		if no != nil {
			pause = max(pause, no.wait)
		}
		if time.Now().Add(pause).After(until) {
			if p.For == 0 {
				return known, err
			}
			return known, fmt.Errorf("given up after %v: %w", p.For, err)
		}
		if p.Waiting != nil {
			p.Waiting(err, pause)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return known, context.Cause(ctx)
		}
	}
}

// at says which of the events is meant.
func at(events []Event, p *Problem) error {
	if i := p.Event - 1; 0 <= i && i < len(events) && events[i].Where != "" {
		return fmt.Errorf("%s: %w", events[i].Where, p)
	}
	return p
}

func (c *Client) post(ctx context.Context, body []byte, a *Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL("/v1/events", nil), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	return c.do(req, a)
}

// A line is an event as the server reads it.
type line struct {
	ID          string  `json:"id"`
	Correlation string  `json:"correlation,omitempty"`
	Causation   string  `json:"causation,omitempty"`
	Entity      string  `json:"entity"`
	Scope       string  `json:"scope"`
	Kind        string  `json:"kind"`
	Lane        uint32  `json:"lane,omitempty"`
	Depth       uint32  `json:"depth,omitempty"`
	Time        uint64  `json:"time,omitempty"`
	Expect      *uint32 `json:"expect,omitempty"`
	Payload     *string `json:"payload,omitempty"` // a string is its text, so that JSON arrives as the very bytes
	Bytes       []byte  `json:"payload_base64,omitempty"`
}

// Size is about how many bytes an event is when it is sent.
func (e *Event) Size() int {
	return 256 + len(e.Coordinate.Entity()) + len(e.Coordinate.Scope()) + len(e.Payload)*3/2
}

func encode(events []Event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range events {
		e := &events[i]
		if e.EventID == (core.ID{}) {
			return nil, errors.New("an event without an id can't be sent twice")
		}
		l := line{
			ID: e.EventID.String(), Entity: e.Coordinate.Entity(), Scope: e.Coordinate.Scope(), Kind: e.Kind.String(),
			Lane: e.Position.Lane, Depth: e.Position.Depth, Time: e.Time, Expect: e.Expect,
		}
		if e.CorrelationID != (core.ID{}) {
			l.Correlation = e.CorrelationID.String()
		}
		if e.CausationID != (core.ID{}) {
			l.Causation = e.CausationID.String()
		}
		if utf8.Valid(e.Payload) && len(e.Payload) > 0 {
			text := string(e.Payload)
			l.Payload = &text
		} else {
			l.Bytes = e.Payload
		}
		if err := enc.Encode(l); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
