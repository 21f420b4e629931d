package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/cursor"
)

// Types are what a body may be, as Accept-Post has them; besides, any that is the data of a CloudEvent in binary mode.
const Types = "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json"

// A Reader reads the events of one body. It is one goroutine's.
type Reader struct {
	limits Limits
	lines  *bufio.Reader // of a stream of lines; nil: all of the body was read
	drafts []cursor.Draft
	read   int // events before the one that Next returns
}

// NewReader returns a Reader of a body, decompressed already, whose header says what it is. A body that is one document is read at once,
// and refused if anything is wrong with it. An error is a *problem.Problem, or the body's own.
func NewReader(h http.Header, body io.Reader, l Limits) (*Reader, error) {
	l = l.WithDefaults()
	r := &Reader{limits: l}
	media := mediaType(h.Get("Content-Type"))
	var parse func(data []byte) error
	switch {
	case media == "application/cloudevents+json":
		parse = r.one(parseCloudEvent)
	case media == "application/cloudevents-batch+json":
		parse = r.many(parseCloudEvent)
	case isBinary(h):
		parse = func(data []byte) error {
			d, err := binaryEvent(h, data, l)
			r.drafts = append(r.drafts, d)
			return at(err, 1)
		}
	case media == "application/x-ndjson", media == "application/jsonl":
		r.lines = bufio.NewReaderSize(body, min(l.Line, 128<<10))
		return r, nil
	case media == "application/json":
		parse = func(data []byte) error {
			if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
				return r.many(parseEvent)(data)
			}
			return r.one(parseEvent)(data)
		}
	default:
		return nil, problem.New(http.StatusUnsupportedMediaType, "type", "The Content-Type %.80q is not read here. Send one of %s.", h.Get("Content-Type"), Types)
	}
	data, err := whole(body, l.Body)
	if err != nil {
		return nil, err
	}
	return r, parse(data)
}

// whole reads a body that is one document.
func whole(body io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "body",
			"The body has more than %d bytes. Send fewer events at once, or a stream of lines as application/x-ndjson.", most)
	}
	return data, err
}

type parser = func(data []byte, l Limits) (cursor.Draft, error)

// one reads a document that is one event.
func (r *Reader) one(parse parser) func([]byte) error {
	return func(data []byte) error {
		d, err := parse(data, r.limits)
		r.drafts = append(r.drafts, d)
		return at(err, 1)
	}
}

// many reads an array of events.
func (r *Reader) many(parse parser) func([]byte) error {
	return func(data []byte) error {
		t, err := newText(data, r.limits.Nesting)
		if err != nil {
			return notJSON(err)
		}
		if t.peek() != '[' {
			return notJSON(t.fail("an array"))
		}
		err = t.array(func() error {
			if len(r.drafts) == r.limits.Events {
				return problem.New(http.StatusRequestEntityTooLarge, "events",
					"The array has more than %d events. Send fewer at once, or a stream of lines as application/x-ndjson.", r.limits.Events).At(len(r.drafts) + 1)
			}
			raw, err := t.value()
			if err == nil {
				var d cursor.Draft
				d, err = parse(raw, r.limits)
				r.drafts = append(r.drafts, d)
			}
			return at(err, len(r.drafts))
		})
		if err == nil {
			err = t.end()
		}
		var p *problem.Problem
		if err != nil && !errors.As(err, &p) {
			return notJSON(err)
		}
		return err
	}
}

// at says which event an error is about.
func at(err error, event int) error {
	var p *problem.Problem
	if errors.As(err, &p) && p.Event == 0 {
		return p.At(event)
	}
	return err
}

// Whole returns all events of a body that is one document; false where it is a stream.
func (r *Reader) Whole() ([]cursor.Draft, bool) { return r.drafts, r.lines == nil }

// mostBlank is how many empty lines there may be in a row: compressed, a million of them is nothing to send.
const mostBlank = 1000

// Ready tells whether the next line of a stream is there: Next would not wait.
func (r *Reader) Ready() bool {
	there, _ := r.lines.Peek(r.lines.Buffered())
	return bytes.IndexByte(there, '\n') >= 0
}

// Await waits until something of a stream is there.
func (r *Reader) Await() error {
	_, err := r.lines.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil // Next says so
	}
	return err
}

// Next returns the next event of a stream; at the end io.EOF. An error is a *problem.Problem, or the body's own.
func (r *Reader) Next() (cursor.Draft, error) {
	for blank := 0; ; blank++ {
		line, err := r.line()
		if err != nil {
			return cursor.Draft{}, err
		}
		if blank == mostBlank {
			return cursor.Draft{}, problem.New(http.StatusBadRequest, "blank", "There are %d empty lines in a row. Send events.", mostBlank)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r.read++
		d, err := parseEvent(line, r.limits)
		return d, at(err, r.read)
	}
}

// line returns the next line. A last one that nothing ends is one, too.
func (r *Reader) line() ([]byte, error) {
	var long []byte // what the buffer has no room for
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(long)+len(part) > r.limits.Line+len("\n") {
			r.read++
			return nil, problem.New(http.StatusRequestEntityTooLarge, "line", "A line has more than %d bytes. Send a smaller payload.", r.limits.Line).At(r.read)
		}
		switch {
		case err == nil && long == nil:
			return part, nil
		case err == nil:
			return append(long, part...), nil
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
		case errors.Is(err, io.EOF) && len(long)+len(part) > 0:
			return append(long, part...), nil
		default:
			return nil, err
		}
	}
}
