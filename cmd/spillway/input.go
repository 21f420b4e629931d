package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

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

// A lineInput reads JSON, an object a line. Lines are parsed one by one until one has said which format it is, and ahead from then on.
type lineInput struct {
	*source
	format  string
	decoder decoder
	ahead   *parseAhead
}

func (in *lineInput) next() (*core.Envelope, error) {
	if in.ahead != nil {
		return in.nextParsed()
	}
	for {
		line, err := in.source.next()
		switch {
		case errors.Is(err, errTooLong):
			return nil, badEvent{in.at(in.line, err)}
		case err != nil:
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := checkText(line); err != nil {
			return nil, badEvent{in.at(in.line, err)}
		}
		d, err := newDecoder(in.format, line)
		if err != nil {
			return nil, badEvent{in.at(in.line, err)}
		}
		e, err := decode(d, line)
		if err != nil {
			return nil, badEvent{in.at(in.line, err)}
		}
		in.decoder = d // not of a bad line, which is no guide to the others
		in.ahead = newParseAhead(in.source, d.parse)
		return e, nil
	}
}

func (in *lineInput) nextParsed() (*core.Envelope, error) {
	l, err := in.ahead.next()
	if err != nil {
		return nil, err
	}
	if l.err != nil {
		return nil, badEvent{in.at(l.number, l.err)}
	}
	e, err := in.decoder.event(l.said)
	if err != nil {
		return nil, badEvent{in.at(l.number, err)}
	}
	return e, nil
}

// checkText refuses what encoding/json would mend, whereby two names become one.
func checkText(line []byte) error {
	switch {
	case !utf8.Valid(line):
		return errors.New("not JSON: the line is not UTF-8")
	case halfPair(line):
		return errors.New(`not text: a \u escape is half of a surrogate pair`)
	}
	return nil
}

// halfPair tells whether a line of JSON has an escape that stands for no character, which encoding/json would mend.
func halfPair(line []byte) bool {
	high := false // the escape before was the first half of a pair
	for {
		i := bytes.IndexByte(line, '\\')
		if i < 0 || i+1 >= len(line) {
			return high
		}
		if high && i > 0 {
			return true
		}
		unit := uint64(0)
		if line[i+1] == 'u' && i+6 <= len(line) {
			unit, _ = strconv.ParseUint(string(line[i+2:i+6]), 16, 16) // what is none, the decoder refuses
		}
		low := 0xDC00 <= unit && unit <= 0xDFFF
		if low != high {
			return true
		}
		high = 0xD800 <= unit && unit <= 0xDBFF
		line = line[i+2:]
		if unit != 0 {
			line = line[4:]
		}
	}
}

func (in *lineInput) close() error {
	if in.ahead != nil {
		in.ahead.stop()
	}
	return in.source.close()
}

// namedAtMost is how many bad events --skip-bad names; the others it counts.
const namedAtMost = 20

// grace is how long an input may take to end when it is interrupted. Git is killed and a file answers at once;
// standard input may never answer, and is left behind.
const grace = time.Second

// readAll opens an input and returns its events, with their places in it as sequences. Where skip is set, it
// goes past bad ones, which it names on warn. It closes the input. When ctx ends first, it returns
// errInterrupted and what it has, unless the input doesn't answer.
func readAll(ctx context.Context, open func() (input, error), skip bool, warn io.Writer) ([]*core.Envelope, error) {
	done := make(chan reading, 1)
	go func() {
		var r reading
		r.err = r.all(ctx, open, skip)
		done <- r
	}()
	var r reading
	select {
	case r = <-done:
	case <-ctx.Done():
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case r = <-done:
		case <-late.C:
			return nil, errInterrupted
		}
	}
	for _, err := range r.bad {
		fmt.Fprintf(warn, "spillway: skipped: %s\n", oneLine(err.Error()))
	}
	if r.skipped > 0 {
		fmt.Fprintf(warn, "spillway: skipped %d bad events in all\n", r.skipped)
	}
	if ctx.Err() != nil {
		return r.events, errInterrupted // whatever else git says of being killed
	}
	return r.events, r.err
}

// A reading is what has been read of an input.
type reading struct {
	events  []*core.Envelope
	bad     []error // the first that were skipped
	skipped int
	err     error
}

// all reads an input to its end, or until ctx ends.
func (r *reading) all(ctx context.Context, open func() (input, error), skip bool) (err error) {
	in, err := open()
	if err != nil {
		return err
	}
	defer func() {
		if e := in.close(); err == nil {
			err = e
		}
	}()
	for ctx.Err() == nil {
		e, err := in.next()
		var bad badEvent
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case skip && errors.As(err, &bad):
			if r.skipped++; r.skipped <= namedAtMost {
				r.bad = append(r.bad, err)
			}
			continue
		case err != nil:
			return err
		case uint64(len(r.events)) == math.MaxUint32:
			return fmt.Errorf("the input has more than %d events", uint32(math.MaxUint32))
		}
		e.Sequence = uint64(len(r.events))
		r.events = append(r.events, e)
	}
	return nil
}
