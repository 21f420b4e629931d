package sse

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spillwayhq/spillway/cursor"
)

// shortID is a log's identity as it stands in ids: the last eight of its hexadecimal digits, which are random.
func shortID(id cursor.LogID) string { return hex.EncodeToString(id[len(id)-4:]) }

// startID ends the id of who has no event of a log, and would have its first.
const startID = "start"

// appendPlaceID appends the id behind which a place is: of a client that comes back with it, the stream goes on there.
func appendPlaceID(dst []byte, log string, next uint64) []byte {
	if next > 0 {
		return appendPlace(dst, log, next-1)
	}
	dst = append(dst, log...)
	dst = append(dst, '-')
	return append(dst, startID...)
}

// appendPlace appends the text of a place in a log.
func appendPlace(dst []byte, log string, sequence uint64) []byte {
	dst = append(dst, log...)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, sequence, 10)
}

// A place is where a client asks a stream to begin.
type place struct {
	where    where
	log      string // eight hexadecimal digits; "": the log that is asked
	sequence uint64
	id       bool // it was given as an id
}

type where uint8

const (
	live  where = iota // with what comes from now on
	first              // with the first event that is kept
	after              // behind an event that the client has
	from               // with an event that it does not have
)

var errPlace = errors.New("want the id of an event, like 3f2a91bc-41, or a sequence alone")

// longestPlace is that of an id with the greatest sequence there is.
const longestPlace = 8 + 1 + 20

// parsePlace reads an id, or a sequence alone, as appendPlace writes it and not otherwise.
func parsePlace(text string) (log string, sequence uint64, err error) {
	if len(text) > longestPlace {
		return "", 0, errPlace
	}
	log, number, found := strings.Cut(text, "-")
	if !found {
		log, number = "", text
	} else if !isLog(log) {
		return "", 0, errPlace
	}
	if number == "" || strings.Trim(number, digits[:10]) != "" || number[0] == '0' && len(number) > 1 {
		return "", 0, errPlace
	}
	sequence, err = strconv.ParseUint(number, 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("%w of %d at most", errPlace, uint64(math.MaxUint64))
	}
	return log, sequence, nil
}

// isLog tells whether a text can be a log's identity.
func isLog(text string) bool { return len(text) == 8 && strings.Trim(text, digits) == "" }

// readPlace reads where a request asks to begin. What a client says when it comes back goes before what is in its URL, which
// says where it began first. What is empty is as good as not there: so is the last event's id of who has seen none.
func readPlace(r *http.Request, q url.Values) (p place, err error) {
	for _, f := range []struct {
		what   string
		values []string
		where  where
	}{
		{"the header Last-Event-ID", r.Header.Values("Last-Event-ID"), after},
		{"last_event_id", q["last_event_id"], after},
		{"from", q["from"], from},
	} {
		if len(f.values) > 1 {
			return place{}, fmt.Errorf("%s is there %d times; want it once", f.what, len(f.values))
		}
		if len(f.values) == 0 || f.values[0] == "" || p.where != live {
			continue
		}
		text := f.values[0]
		if log, ok := strings.CutSuffix(text, "-"+startID); ok && f.where == after && isLog(log) {
			return place{where: from, log: log, id: true}, nil
		}
		switch {
		case f.where == from && text == "end":
			return place{}, nil
		case f.where == from && text == "start":
			return place{where: first}, nil
		}
		p.where, p.id = f.where, f.where == after
		if p.log, p.sequence, err = parsePlace(text); err != nil {
			return place{}, fmt.Errorf("%s is %q: %w", f.what, excerpt(text), err)
		}
	}
	return p, nil
}

// excerpt is as much of what a client sent as it is told back.
func excerpt(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
