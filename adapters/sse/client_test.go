package sse_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
)

// A script is a server as a RoundTripper, whose answers are made one after the other. It keeps where each request asked to begin.
type script struct {
	answers []string // a body; or a status, and in how many seconds to come back
	asked   []string
	at      []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(s.asked)
	s.asked = append(s.asked, strings.Trim(r.URL.Query().Encode()+" "+r.Header.Get("Last-Event-ID"), " "))
	s.at = append(s.at, time.Now())
	w := httptest.NewRecorder()
	if n >= len(s.answers) {
		w.WriteHeader(http.StatusNoContent)
		return w.Result(), nil
	}
	answer := s.answers[n]
	status, after := 0, 7
	if read, _ := fmt.Sscanf(answer, "%d %d", &status, &after); read > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
		w.WriteHeader(status)
		return w.Result(), nil
	}
	if answer == "refused" {
		return nil, errors.New("connection refused")
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	if from, body, ok := strings.Cut(answer, "|"); ok {
		w.Header().Set("Spillway-From", from)
		answer = body
	}
	_, _ = w.WriteString(answer)
	return w.Result(), nil
}

// run follows a script to its end.
func (s *script) run(ctx context.Context, url string, o sse.FollowOptions) (got []string, end error) {
	o.Client = &http.Client{Transport: s}
	for e, err := range sse.Follow(ctx, url, o) {
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%s/%s/%s/%s", e.ID, e.LastID, e.Name, e.Data))
	}
	return got, nil
}

// Wherever a connection is lost, the next one asks for exactly what has not come.
func TestFollowComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		answers, got, asked []string
		o                   sse.FollowOptions
		end                 error
	}{
		"by the last id": {
			answers: []string{"id: x-1\ndata: a\n\nid: x-2\ndata: b\n", "id: x-2\ndata: b\n\ndata: n\nevent: m\n\n"},
			got:     []string{"x-1/x-1//a", "x-2/x-2//b", "/x-2/m/n"},
			asked:   []string{"from=5&k=v", "k=v x-1", "k=v x-2"}, end: sse.ErrStopped,
		},
		"where it began": {
			answers: []string{"x-7|retry: 5\n\n", "x-7|", "refused", "503", "429"},
			asked:   []string{"from=5&k=v", "from=x-7&k=v", "from=x-7&k=v", "from=x-7&k=v", "from=x-7&k=v", "from=x-7&k=v"}, end: sse.ErrStopped,
		},
		"behind what came": {
			answers: []string{"x-7|id: x-7\ndata: a\n\n"}, got: []string{"x-7/x-7//a"},
			asked: []string{"from=5&k=v", "k=v x-7"}, end: sse.ErrStopped,
		},
		"where the server says": {
			answers: []string{
				"id: x-1\ndata: a\n\nevent: spillway.progress\ndata: {\"from\":\"x-9\"}\n\n",
				"event: spillway.end\ndata: {\"reason\":\"stopping\",\"from\":\"x-12\"}\n\n",
			},
			got: []string{"x-1/x-1//a"}, asked: []string{"from=5&k=v", "from=x-9&k=v", "from=x-12&k=v"}, end: sse.ErrStopped,
		},
		"whose id is no event's": {
			answers: []string{
				"x-7|id: x-6\nevent: spillway.progress\ndata: {\"from\":\"x-7\"}\n\nevent: m\ndata: n\n\nid: x-7\ndata: a\n\n" +
					"id: x-9\nevent: spillway.progress\ndata: {\"from\":\"x-10\"}\n\nevent: m\ndata: o\n\n",
			},
			got: []string{"//m/n", "x-7/x-7//a", "/x-7/m/o"}, asked: []string{"from=5&k=v", "from=x-10&k=v"}, end: sse.ErrStopped,
		},
		"after": {o: sse.FollowOptions{After: "x-3"}, asked: []string{"k=v x-3"}, end: sse.ErrStopped},
		"gap":   {answers: []string{"event: spillway.gap\ndata: {\"asked\":1,\"left\":4}\n\n"}, asked: []string{"from=5&k=v"}, end: sse.ErrGap},
		"gap of a log, and on": {
			answers: []string{"event: spillway.gap\nid: 0a0b0c0d-3\ndata: {\"asked\":1,\"left\":4}\n\n"}, o: sse.FollowOptions{Gaps: true},
			got: []string{"//spillway.gap/{\"asked\":1,\"left\":4}"}, asked: []string{"from=5&k=v", "from=0a0b0c0d-4&k=v"}, end: sse.ErrStopped,
		},
		"gap, and on": {
			answers: []string{"event: spillway.gap\ndata: {\"asked\":1,\"left\":4}\n\n"}, o: sse.FollowOptions{Gaps: true},
			got: []string{"//spillway.gap/{\"asked\":1,\"left\":4}"}, asked: []string{"from=5&k=v", "from=4&k=v"}, end: sse.ErrStopped,
		},
		"replaced":  {answers: []string{"410"}, asked: []string{"from=5&k=v"}, end: sse.ErrReplaced},
		"denied":    {answers: []string{"401"}, asked: []string{"from=5&k=v"}, end: sse.ErrDenied},
		"forbidden": {answers: []string{"403"}, asked: []string{"from=5&k=v"}, end: sse.ErrDenied},
		"no log":    {answers: []string{"event: spillway.end\ndata: {\"reason\":\"fell behind\",\"missed\":3}\n\n"}, asked: []string{"from=5&k=v"}, end: sse.ErrLost},
		"cut":       {answers: []string{"data: a\n\n"}, got: []string{"///a"}, asked: []string{"from=5&k=v"}, end: sse.ErrLost},
		"too long": {
			answers: []string{"data: " + strings.Repeat("x", 5000) + "\n\n"}, o: sse.FollowOptions{MaxEvent: 4096},
			asked: []string{"from=5&k=v"}, end: sse.ErrTooLong,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers}
				got, err := s.run(t.Context(), "http://x/?k=v&from=5", c.o)
				if !errors.Is(err, c.end) || !slices.Equal(got, c.got) || !slices.Equal(s.asked, c.asked) {
					t.Errorf("got %q, %v after asking %q\nwant %q, %v after %q", got, err, s.asked, c.got, c.end, c.asked)
				}
			})
		})
	}
}

// It waits as the server says, twice as long each time that nothing comes, and never exactly as long as others.
func TestFollowWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"x-1|retry: 4000\n\n", "refused", "refused", "refused", "refused", "429", "x-1|id: x-1\ndata: a\n\n", "refused"}}
		if _, err := s.run(t.Context(), "http://x/", sse.FollowOptions{MaxRetry: 20 * time.Second}); !errors.Is(err, sse.ErrStopped) {
			t.Fatal(err)
		}
		for i, base := range []time.Duration{4, 8, 16, 20, 20, 20, 4, 8} {
			base *= time.Second
			least := base / 2
			if i == 5 {
				least = 10 * time.Second
			}
			if wait := s.at[i+1].Sub(s.at[i]); wait < least || wait >= least+base {
				t.Errorf("wait %d is %v, want from %v to %v", i, wait, least, least+base)
			}
		}
	})
}

// A server that sends away for a day is asked again in minutes.
func TestFollowIsNotSentAwayForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"503 86400"}}
		if _, err := s.run(t.Context(), "http://x/", sse.FollowOptions{}); !errors.Is(err, sse.ErrStopped) {
			t.Fatal(err)
		}
		if wait := s.at[1].Sub(s.at[0]); wait < 5*time.Minute || wait > 6*time.Minute {
			t.Errorf("it waits %v, want five minutes", wait)
		}
	})
}

// Attempts bounds failures in a row; the context's cause ends everything.
func TestFollowGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []string{"refused", "refused", "refused"}}
		if _, err := s.run(t.Context(), "http://x/", sse.FollowOptions{Attempts: 2}); err == nil || len(s.asked) != 2 {
			t.Errorf("%v after %d attempts", err, len(s.asked))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		cancel(why)
		if _, err := s.run(ctx, "http://x/", sse.FollowOptions{}); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}
