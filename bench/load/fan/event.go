package fan

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Event is what is read out of one.
type Event struct {
	N   uint64        // its number in its group, from 0 on
	Due time.Duration // when it was to be sent, since the Crowd was made
}

// appendEvent appends an event's JSON, filled up to so many bytes.
func appendEvent(dst []byte, e Event, size int) []byte {
	from := len(dst)
	dst = append(dst, `{"n":`...)
	dst = strconv.AppendUint(dst, e.N, 10)
	dst = append(dst, `,"due":`...)
	dst = strconv.AppendInt(dst, int64(e.Due), 10)
	dst = append(dst, `,"fill":"`...)
	const end = `"}`
	if more := size - (len(dst) - from) - len(end); more > 0 {
		dst = append(dst, strings.Repeat("x", more)...)
	}
	return append(dst, end...)
}

var nKey, dueKey = []byte(`"n":`), []byte(`"due":`)

// Read finds an event in what a protocol has put around it. That must have no fields of these names.
func Read(text []byte) (e Event, err error) {
	n, err := number(text, nKey)
	if err != nil {
		return e, err
	}
	due, err := number(text, dueKey)
	return Event{N: n, Due: time.Duration(due)}, err
}

func number(text, key []byte) (n uint64, err error) {
	_, digits, found := bytes.Cut(text, key)
	if !found {
		return 0, fmt.Errorf("no %s in %.200q", key, text)
	}
	i := 0
	for ; i < len(digits) && digits[i] >= '0' && digits[i] <= '9'; i++ {
		if n > 1<<59 {
			return 0, fmt.Errorf("%s is beyond all numbers in %.200q", key, text)
		}
		n = n*10 + uint64(digits[i]-'0')
	}
	if i == 0 {
		return 0, fmt.Errorf("no number at %s in %.200q", key, text)
	}
	return n, nil
}
