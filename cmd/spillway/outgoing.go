package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/client"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// A request has so many events, and about so many bytes, at most.
const (
	mostEvents = 256
	mostBytes  = 1 << 20
)

// An outgoing is events on their way to a server.
type outgoing struct {
	next  func() (client.Event, error) // io.EOF after the last
	close func() error
}

// read is an event that was read, or why none was.
type read struct {
	event client.Event
	err   error
}

// send reads the events and sends them, as many in a request as are there. What is read slowly is sent one by one. It returns
// with ctx, though a read be under way still: standard input may never answer.
func (o *outgoing) send(ctx context.Context, c *client.Client, p client.Retries) (all client.Receipt, err error) {
	events, left := make(chan read, mostEvents), make(chan struct{})
	closed := make(chan error, 1)
	go func() {
		defer func() { closed <- o.close() }()
		for {
			e, err := o.next()
			select {
			case events <- read{e, err}:
			case <-left:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	defer close(left)
	batch, size := make([]client.Event, 0, mostEvents), 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		a, err := c.Publish(ctx, batch, p)
		all.Add(a.Accepted, a.First, a.Last)
		batch, size = batch[:0], 0
		return err
	}
	for {
		var r read
		select {
		case r = <-events:
		default:
			if err := flush(); err != nil {
				return all, err
			}
			select {
			case r = <-events:
			case <-ctx.Done():
				return all, context.Cause(ctx)
			}
		}
		if r.err != nil {
			if err := flush(); err != nil {
				return all, err // what came first
			}
			if errors.Is(r.err, io.EOF) {
				return all, <-closed
			}
			return all, r.err
		}
		if n := r.event.Size(); len(batch) == mostEvents || size > 0 && size+n > mostBytes {
			if err := flush(); err != nil {
				return all, err
			}
		}
		batch, size = append(batch, r.event), size+r.event.Size()
	}
}

// An eventLines reads events as lines of JSON, one by one as they come: whoever writes them may be slow.
type eventLines struct {
	source  *source
	format  string
	decoder decoder
}

func (l *eventLines) next() (e client.Event, err error) {
	for {
		line, err := l.source.next()
		switch {
		case errors.Is(err, errTooLong):
			return e, l.source.at(l.source.line, err)
		case err != nil:
			return e, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if e, err = l.event(line); err != nil {
			return e, l.source.at(l.source.line, err)
		}
		e.Where = fmt.Sprintf("%s:%d", l.source.name, l.source.line)
		return e, nil
	}
}

func (l *eventLines) event(line []byte) (e client.Event, err error) {
	if err := checkText(line); err != nil {
		return e, err
	}
	if l.decoder == nil {
		if l.decoder, err = newDecoder(l.format, line); err != nil {
			return e, err
		}
		switch d := l.decoder.(type) {
		case *spillwayDecoder:
			d.newID = func(uint64) core.ID { return cursor.NewID() }
		case *gitDecoder:
			d.newID = gitID
		}
	}
	of, err := decode(l.decoder, line)
	if err != nil {
		return e, err
	}
	e.Envelope = *of
	e.Payload = bytes.Clone(e.Payload) // the line is the source's
	if bytes.Contains(line, []byte(`"expect"`)) {
		var said struct {
			Expect *uint32 `json:"expect"`
		}
		if err := json.Unmarshal(line, &said); err != nil {
			return e, notJSON(err)
		}
		e.Expect = said.Expect
	}
	return e, nil
}

// gitID returns the id of what a commit did to a path: the same each time that the history is read, so that it can be sent again.
func gitID(l *gitLine) (id core.ID) {
	sum := sha256.Sum256([]byte(l.Repo + "\x00" + l.Commit + "\x00" + l.Op + "\x00" + l.Path))
	copy(id[:], sum[:])
	return id
}
