package client

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Problem is an answer that says no, as RFC 9457 has it.
type Problem struct {
	Status int    `json:"-"`
	Detail string `json:"detail"`
	Event  int    `json:"event"` // which event of those sent is at fault, from 1; 0: none

	Accepted int     `json:"accepted"` // the first so many of those sent are in the log
	First    *uint64 `json:"first"`
	Last     *uint64 `json:"last"`

	wait time.Duration
}

// mostDetail is how much of a server's sentence is told.
const mostDetail = 1000

func newProblem(res *http.Response, body []byte) *Problem {
	p := new(Problem)
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err == nil && media == "application/problem+json" {
		_ = json.Unmarshal(body, p) // what can't be read says nothing, and the status is left
	}
	p.Status = res.StatusCode
	p.Detail = printable(p.Detail)
	if p.Detail == "" {
		p.Detail = "no more is said"
	}
	if seconds, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 31); err == nil {
		p.wait = time.Duration(seconds) * time.Second
	}
	return p
}

func (p *Problem) Error() string {
	return fmt.Sprintf("the server answers %d %s: %s", p.Status, http.StatusText(p.Status), p.Detail)
}

// again tells whether the same request may do later.
func (p *Problem) again() bool {
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// printable returns what a server says for a terminal: in one line, of bounded length, without control characters.
func printable(s string) string {
	if len(s) > mostDetail {
		s = s[:mostDetail] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7F <= r && r < 0xA0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}
