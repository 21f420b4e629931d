package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxLine bounds a line of the input: more is an error, not memory.
const maxLine = 16 << 20

// A source is lines of text, from a file, standard input or a command, decompressed if need be.
type source struct {
	name  string
	lines *bufio.Reader
	line  int // number of the last one read, from 1
	buf   []byte
	close func() error
}

// openSource opens a file; "-" is in. Gzip is known by its first two bytes.
func openSource(path string, in io.Reader) (*source, error) {
	s := &source{name: path, close: func() error { return nil }}
	if path == "-" {
		s.name = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close() // nothing was written
			return nil, fmt.Errorf("%s: is a directory; --git %s replays a repository", path, path)
		}
		in, s.close = f, f.Close
	}
	raw := bufio.NewReaderSize(in, 1<<16)
	magic, err := raw.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = s.close()
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.lines = raw
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(raw)
		if err != nil {
			_ = s.close()
			return nil, fmt.Errorf("%s: %w", s.name, gzipError(err))
		}
		ahead := newReadAhead(unzipped)
		closeFile := s.close
		s.close = func() error {
			ahead.stop()
			return closeFile()
		}
		s.lines = bufio.NewReaderSize(ahead, 1<<16)
	}
	return s, nil
}

// errTooLong is said of one line: the next call returns the one after it.
var errTooLong = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)

// next returns the next line without its end, valid until the next call; io.EOF after the last, errTooLong of one
// that is passed over.
func (s *source) next() ([]byte, error) {
	s.buf = s.buf[:0]
	tooLong := false
	for {
		part, err := s.lines.ReadSlice('\n')
		if len(s.buf)+len(part) > maxLine+1 {
			tooLong = true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if !tooLong {
				s.buf = append(s.buf, part...)
			}
			continue
		case err != nil && !errors.Is(err, io.EOF):
			s.line++
			return nil, s.at(s.line, gzipError(err))
		case errors.Is(err, io.EOF) && len(part) == 0 && len(s.buf) == 0 && !tooLong:
			return nil, io.EOF
		}
		s.line++
		if tooLong {
			return nil, errTooLong
		}
		if len(s.buf) > 0 {
			s.buf = append(s.buf, part...)
			part = s.buf
		}
		return bytes.TrimRight(part, "\r\n"), nil
	}
}

// gzipError says what an unexpected end means: nothing but gzip has one. It is io.EOF where the header is cut.
func gzipError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the gzip data is cut short")
	}
	return err
}

// at says in which line an error was met.
func (s *source) at(line int, err error) error { return fmt.Errorf("%s:%d: %w", s.name, line, err) }

// A readAhead reads in a goroutine of its own, so that one core unzips while another decodes. stop ends it.
type readAhead struct {
	chunks  chan chunk
	free    chan []byte
	stopped chan struct{}
	rest    []byte
	whole   []byte
	err     error
}

type chunk struct {
	data []byte
	err  error
}

func newReadAhead(r io.Reader) *readAhead {
	const depth = 4
	a := &readAhead{chunks: make(chan chunk, depth), free: make(chan []byte, depth+2), stopped: make(chan struct{})}
	for range depth + 2 {
		a.free <- make([]byte, 1<<17)
	}
	go func() {
		defer close(a.chunks)
		for {
			var buf []byte
			select {
			case buf = <-a.free:
			case <-a.stopped:
				return
			}
			n, err := io.ReadFull(r, buf[:cap(buf)])
			if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
				_, err = r.Read(buf[n:n]) // ReadFull says so of a plain end too; ask which it was
				if err == nil {
					err = io.EOF
				}
			}
			select {
			case a.chunks <- chunk{buf[:n], err}:
			case <-a.stopped:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return a
}

func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if a.whole != nil {
			a.free <- a.whole
			a.whole = nil
		}
		c, ok := <-a.chunks
		if !ok {
			return 0, io.EOF
		}
		a.whole, a.rest, a.err = c.data, c.data, c.err
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// stop ends the goroutine; it waits for no read.
func (a *readAhead) stop() { close(a.stopped) }
