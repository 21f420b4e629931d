package sse

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// AppendJSON appends an event as a JSON object in one line, and is what a stream's data is where Options.Data says nothing
// else. It never fails. Its fields are those that spillway replay reads, and what the log has added:
//
//	{"sequence":41,"id":"…","entity":"alice:cart","scope":"shop","kind":"0x1:0x00a","lane":0,"depth":0,
//	 "time":1764061706000,"clock":3,"wall_ms":1764061706001,"counter":0,"payload":{"total":12}}
//
// clock is the entity's own, wall_ms and counter are the log's. correlation and causation are there where the event has
// them. A payload that is JSON stands as it is, with nothing around it and over several lines where it has them; a JSON
// string, null, JSON with white space around it or a carriage return in it, and any other text is a string; what is no text,
// or for the most part control characters, is in payload_base64 instead. So ParseJSON has back the very bytes.
func AppendJSON(dst []byte, e core.Envelope) ([]byte, error) {
	dst = append(dst, `{"sequence":`...)
	dst = strconv.AppendUint(dst, e.Sequence, 10)
	dst = appendID(dst, `,"id":"`, e.EventID)
	if e.CorrelationID != (core.ID{}) {
		dst = appendID(dst, `,"correlation":"`, e.CorrelationID)
	}
	if e.CausationID != (core.ID{}) {
		dst = appendID(dst, `,"causation":"`, e.CausationID)
	}
	dst = append(dst, `,"entity":`...)
	dst = appendString(dst, e.Coordinate.Entity())
	dst = append(dst, `,"scope":`...)
	dst = appendString(dst, e.Coordinate.Scope())
	dst = append(dst, `,"kind":"`...)
	dst = appendKind(dst, e.Kind)
	p := &e.Position
	for _, f := range [...]struct {
		name  string
		value uint64
	}{
		{`","lane":`, uint64(p.Lane)},
		{`,"depth":`, uint64(p.Depth)},
		{`,"time":`, e.Time},
		{`,"clock":`, uint64(p.Sequence)},
		{`,"wall_ms":`, p.WallMS},
		{`,"counter":`, uint64(p.Counter)},
	} {
		dst = append(dst, f.name...)
		dst = strconv.AppendUint(dst, f.value, 10)
	}
	dst = appendPayload(dst, e.Payload)
	return append(dst, '}'), nil
}

func appendID(dst []byte, name string, id core.ID) []byte {
	dst = append(dst, name...)
	dst = hex.AppendEncode(dst, id[:])
	return append(dst, '"')
}

const digits = "0123456789abcdef"

// appendKind is Kind.String without the garbage.
func appendKind(dst []byte, k region.Kind) []byte {
	return append(dst, '0', 'x', digits[k>>12], ':', '0', 'x', digits[k>>8&15], digits[k>>4&15], digits[k&15])
}

func appendPayload(dst, payload []byte) []byte {
	switch {
	case len(payload) == 0:
		return dst
	case !utf8.Valid(payload):
		return appendBase64(dst, payload)
	}
	begin := len(dst)
	dst = append(dst, `,"payload":`...)
	if standsAlone(payload) {
		return append(dst, payload...)
	}
	// What is control characters for the most part is text in name only, and would be six times as long: more than a client may take.
	if dst = appendString(dst, payload); len(dst)-begin > 2*base64.StdEncoding.EncodedLen(len(payload))+64 {
		return appendBase64(dst[:begin], payload)
	}
	return dst
}

func appendBase64(dst, payload []byte) []byte {
	dst = append(dst, `,"payload_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, payload)
	return append(dst, '"')
}

// standsAlone tells whether a payload is JSON that is read as the same bytes when it is part of other JSON and was sent as lines.
func standsAlone(payload []byte) bool {
	switch first, last := payload[0], payload[len(payload)-1]; {
	case first <= ' ', first == '"', last <= ' ', string(payload) == "null":
		return false
	case first != '{' && first != '[' && first != '-' && first != 't' && first != 'f' && (first < '0' || first > '9'):
		return false // most texts
	}
	depth, deepest := 0, 0 // in strings it counts too much, which does no harm
	for _, c := range payload {
		switch c {
		case '\r':
			return false
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest < mostNested && json.Valid(payload)
}

// mostNested is well below what encoding/json refuses: others read it, too.
const mostNested = 1000

// appendString appends s as JSON. What is no UTF-8 becomes U+FFFD.
func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := decodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[from:i]...)
				dst = append(dst, `\ufffd`...)
				from = i + size
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func decodeRune[S string | []byte](s S) (rune, int) {
	var few [utf8.UTFMax]byte
	return utf8.DecodeRune(few[:copy(few[:], s)])
}
