package main

import (
	"bytes"
	"errors"
	"runtime"
)

// A parseAhead reads the lines of a source ahead and parses them, a block of them in a goroutine, since parsing is the most of what
// reading an input takes. next gives them out in their order. stop ends it.
type parseAhead struct {
	blocks  chan *block // in the order of the input
	current *block
	given   int // lines of current
	stopped chan struct{}
}

// A block is lines that are parsed together.
type block struct {
	text   []byte
	lines  []parsedLine
	end    error         // why no block follows it, io.EOF where all is well; nil: one does
	parsed chan struct{} // closed when it is
}

// A parsedLine is what a line says, or what is wrong with it.
type parsedLine struct {
	number   int // in the input
	from, to int // in the block's text
	said     any
	err      error
}

const (
	blockBytes = 1 << 16 // a block is full when it has as much
	blockAhead = 8       // blocks that are read, at most, before the first of them is given out
)

// newParseAhead starts on what is left of a source, which is its own from now on.
func newParseAhead(s *source, parse func([]byte) (any, error)) *parseAhead {
	a := &parseAhead{blocks: make(chan *block, blockAhead), stopped: make(chan struct{})}
	work := make(chan *block, blockAhead)
	go func() {
		defer close(a.blocks)
		defer close(work)
		for end := error(nil); end == nil; {
			b := readBlock(s)
			end = b.end
			select {
			case a.blocks <- b:
				work <- b // has room for all that blocks has, and for the one that next has taken
			case <-a.stopped:
				return
			}
		}
	}()
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for b := range work {
				b.parse(parse)
			}
		}()
	}
	return a
}

// readBlock reads lines, empty ones not, until they are enough or the source ends.
func readBlock(s *source) *block {
	b := &block{text: make([]byte, 0, blockBytes), parsed: make(chan struct{})}
	for len(b.text) < blockBytes {
		line, err := s.next()
		switch {
		case errors.Is(err, errTooLong):
			b.lines = append(b.lines, parsedLine{number: s.line, err: err})
		case err != nil:
			b.end = err
			return b
		case len(bytes.TrimSpace(line)) > 0:
			from := len(b.text)
			b.text = append(b.text, line...)
			b.lines = append(b.lines, parsedLine{number: s.line, from: from, to: len(b.text)})
		}
	}
	return b
}

func (b *block) parse(parse func([]byte) (any, error)) {
	defer close(b.parsed)
	for i := range b.lines {
		l := &b.lines[i]
		if l.err != nil {
			continue
		}
		text := b.text[l.from:l.to]
		if l.err = checkText(text); l.err == nil {
			l.said, l.err = parse(text)
		}
	}
	b.text = nil
}

// next returns the next line; an error ends the input, and is io.EOF where all is well.
func (a *parseAhead) next() (*parsedLine, error) {
	for a.current == nil || a.given == len(a.current.lines) {
		if a.current != nil && a.current.end != nil {
			return nil, a.current.end
		}
		a.current, a.given = <-a.blocks, 0
		<-a.current.parsed
	}
	l := &a.current.lines[a.given]
	a.given++
	return l, nil
}

// stop ends the goroutines; it waits for no read. Nobody calls next any more.
func (a *parseAhead) stop() { close(a.stopped) }
