package sse

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// The names of the events that are the stream's own. Data of theirs is JSON. With a log each says a place, and has the id of the last event
// before it: an EventSource that comes back with that resumes there, and a quiet one is not told of a gap in what it never asked for. The
// id of the place before the first event of all is 3f2a91bc-start.
const (
	// EventGap comes in the place of events that retention has dropped: {"asked":5,"left":900}. What was asked for began at the
	// first of the two sequences, and what is left begins at the second.
	EventGap = "spillway.gap"
	// EventProgress comes first where a client has given no id, and where the log has gone on without an event of the regions:
	// {"from":"3f2a91bc-900"}. There is nothing to be had before that place, which is one to resume at.
	EventProgress = "spillway.progress"
	// EventEnd is the last of a stream that the server ends: {"reason":"stopping","from":"3f2a91bc-900"}, from being where to
	// resume. Without a log there is no such place; where the subscription was pruned, missed is the first sequence
	// that didn't come.
	EventEnd = "spillway.end"
)

// ownPrefix begins the names that are the stream's own.
const ownPrefix = "spillway."

// errName: an event's name has a line break or a NUL, or is one of the stream's own.
var errName = errors.New("spillway/sse: a name that begins with " + ownPrefix + " is the stream's own, and none holds a line break or a NUL")

// nameable tells whether others than the stream itself may call an event so.
func nameable(name string) bool {
	return !strings.ContainsAny(name, "\r\n\x00") && !strings.HasPrefix(name, ownPrefix)
}

// heartbeat is a comment, which no client takes for an event.
const heartbeat = ":\n\n"

// appendEvent appends an event in the format of the WHATWG's HTML standard, 9.2.5. Its id is made of its place in the log,
// and there is none where there is no log.
func appendEvent(dst []byte, log string, sequence uint64, name string, data []byte) []byte {
	if log != "" {
		dst = append(dst, "id: "...)
		dst = append(dst, log...)
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, sequence, 10)
		dst = append(dst, '\n')
	}
	return appendNamed(dst, name, data)
}

// appendOwn appends an event of the stream's own, which says a place where there is a log.
func appendOwn(dst []byte, log string, next uint64, name string, data []byte) []byte {
	if log != "" {
		dst = append(dst, "id: "...)
		dst = appendPlaceID(dst, log, next)
		dst = append(dst, '\n')
	}
	return appendNamed(dst, name, data)
}

// appendNamed appends what has no id. name is one line, and may be empty: then there is no such field. data is put into as many fields as
// it has lines, since a line break of any of the three kinds ends a field.
func appendNamed(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, name...)
		dst = append(dst, '\n')
	}
	lf, cr := indexOf(data, '\n'), indexOf(data, '\r')
	for {
		dst = append(dst, "data: "...)
		end := min(lf, cr)
		if end == none {
			dst = append(dst, data...)
			return append(dst, '\n', '\n')
		}
		dst = append(dst, data[:end]...)
		dst = append(dst, '\n')
		next := end + 1
		if end == cr && lf == next {
			next++
		}
		data = data[next:]
		if lf = passed(lf, next); lf < 0 {
			lf = indexOf(data, '\n')
		}
		if cr = passed(cr, next); cr < 0 {
			cr = indexOf(data, '\r')
		}
	}
}

const none = math.MaxInt

// indexOf returns where the first c is, or none. What has been found is not looked for again: a payload of nothing but
// one kind of line break would take the square of its length.
func indexOf(data []byte, c byte) int {
	if i := bytes.IndexByte(data, c); i >= 0 {
		return i
	}
	return none
}

// passed returns where what was found at i is when n bytes have been taken from the front; below 0 where it was among them.
func passed(i, n int) int {
	if i == none {
		return none
	}
	return i - n
}

// appendRetry appends how long a client is to wait before it comes back.
func appendRetry(dst []byte, wait time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, wait.Milliseconds(), 10)
	return append(dst, '\n', '\n')
}
