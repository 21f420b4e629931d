package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A stream is one client of GET /v1/events: as little as reads it. (sse.Follow is more, and takes more.)
type stream struct {
	conn  net.Conn
	lines *bufio.Reader
	last  string // the id of the last event
	place uint64 // and its sequence
	any   bool   // there was one
}

// A dialing is how a client comes.
type dialing struct {
	query  string // of the regions
	after  string // the id of the last event that it has, if any
	from   string // its own address; "" is any
	buffer int    // bytes of the socket that it receives into; 0 is the system's
}

// dial opens a connection.
func (d dialing) dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	if d.from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(d.from)}
	}
	if d.buffer > 0 {
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) { failed = shrink(fd, d.buffer) })
			return errors.Join(err, failed)
		}
	}
	return dialer.DialContext(ctx, "tcp", addr)
}

// open makes the request, and returns when the server has begun the stream: what is appended from then on is in it.
func (d dialing) open(ctx context.Context, addr string) (*stream, error) {
	conn, err := d.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	s, err := d.ask(conn, addr)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// line is room for what a stream has read of a line; longer ones are read in pieces.
const line = 1024

func (d dialing) ask(conn net.Conn, addr string) (*stream, error) {
	after := ""
	if d.after != "" {
		after = "Last-Event-ID: " + d.after + "\r\n"
	}
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/events?%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n", d.query, addr, after); err != nil {
		return nil, err
	}
	raw := bufio.NewReaderSize(conn, line)
	res, err := http.ReadResponse(raw, nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return nil, fmt.Errorf("a stream is refused: %s: %s", res.Status, text)
	}
	return &stream{conn: conn, lines: bufio.NewReaderSize(res.Body, line)}, conn.SetDeadline(time.Time{})
}

// next returns the data of the next event of the log; what the server says besides is passed over, but for what means that something is
// missing. into is room for it.
func (s *stream) next(into []byte) (data []byte, err error) {
	data = into[:0]
	name, id := "", ""
	for {
		text, err := s.line()
		if err != nil {
			return nil, err
		}
		switch {
		case len(text) > 0:
			field, value, _ := bytes.Cut(text, []byte(": "))
			switch string(field) {
			case "id":
				id = string(value)
			case "event":
				name = string(value)
			case "data":
				data = append(data, value...)
			}
		case name == "" && len(data) > 0:
			return data, s.passed(id)
		case name != "" && name != "spillway.progress":
			return nil, fmt.Errorf("%s: %s", name, data)
		default: // a comment, or retry
			data, name, id = data[:0], "", ""
		}
	}
}

// line returns a line without its end.
func (s *stream) line() ([]byte, error) {
	text, err := s.lines.ReadSlice('\n')
	if err == bufio.ErrBufferFull { //nolint:errorlint // bufio returns it as it is
		text = bytes.Clone(text)
		var rest []byte
		rest, err = s.lines.ReadBytes('\n')
		text = append(text, rest...)
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text, []byte("\n")), nil
}

// passed looks whether an event's id is behind the last one's.
func (s *stream) passed(id string) error {
	_, digits, _ := strings.Cut(id, "-")
	place, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("the id %q: %w", id, err)
	}
	if s.any && place <= s.place {
		return fmt.Errorf("the id %q comes after sequence %d", id, s.place)
	}
	s.last, s.place, s.any = id, place, true
	return nil
}

func (s *stream) close() { _ = s.conn.Close() } // nothing was written that could be lost
