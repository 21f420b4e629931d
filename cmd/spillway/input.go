package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spillwayhq/spillway/core"
)

// An input gives events, one after the other, and then io.EOF. After a badEvent it can go on, after any
// other error it can't.
type input interface {
	next() (*core.Envelope, error)
	close() error
}

// A badEvent is one that the input holds and that can't be understood: --skip-bad goes past it.
type badEvent struct{ error }

func (e badEvent) Unwrap() error { return e.error }

// A lineInput reads JSON, an object a line.
type lineInput struct {
	*source
	format  string
	decoder decoder
}

func (in *lineInput) next() (*core.Envelope, error) {
	for {
		line, err := in.source.next()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if in.decoder == nil {
			if in.decoder, err = newDecoder(in.format, line); err != nil {
				return nil, badEvent{in.at(err)}
			}
		}
		e, err := in.decoder.decode(line)
		if err != nil {
			return nil, badEvent{in.at(err)}
		}
		return e, nil
	}
}

func (in *lineInput) close() error { return in.source.close() }

// namedAtMost is how many bad events --skip-bad names; the others it counts.
const namedAtMost = 20

// readAll returns the events of in, with their places in the input as sequences. Where skip is set, it
// goes past bad ones, which it names on warn. It closes in. When ctx ends first, it returns errInterrupted
// and what it has, unless in doesn't answer: standard input may never.
func readAll(ctx context.Context, in input, skip bool, warn io.Writer) ([]*core.Envelope, error) {
	type result struct {
		events []*core.Envelope
		bad    []error
		count  int
		err    error
	}
	read := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if err := in.close(); r.err == nil && err != nil {
				r.err = err
			}
			read <- r
		}()
		for ctx.Err() == nil {
			e, err := in.next()
			var bad badEvent
			switch {
			case errors.Is(err, io.EOF):
				return
			case skip && errors.As(err, &bad):
				if r.count++; r.count <= namedAtMost {
					r.bad = append(r.bad, err)
				}
				continue
			case err != nil:
				r.err = err
				return
			case uint64(len(r.events)) == math.MaxUint32:
				r.err = fmt.Errorf("the input has more than %d events", uint32(math.MaxUint32))
				return
			}
			e.Sequence = uint64(len(r.events))
			r.events = append(r.events, e)
		}
	}()
	select {
	case r := <-read:
		for _, err := range r.bad {
			fmt.Fprintf(warn, "spillway: skipped: %s\n", oneLine(err.Error()))
		}
		if r.count > 0 {
			fmt.Fprintf(warn, "spillway: skipped %d bad events in all\n", r.count)
		}
		if r.err == nil && ctx.Err() != nil {
			r.err = errInterrupted
		}
		return r.events, r.err
	case <-ctx.Done():
		return nil, errInterrupted
	}
}
