package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/client"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A script is a server that answers the first request by the first function, and so on; the last answers all that follow.
func script(t *testing.T, answers ...http.HandlerFunc) (address string, bodies func() []string) {
	t.Helper()
	var (
		mu  sync.Mutex
		got []string
	)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		i := len(got)
		got = append(got, string(body))
		mu.Unlock()
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(got)
	}
}

func problem(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func accepts(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"accepted":2,"first":7,"last":8}`)
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func two(t *testing.T) []client.Event {
	t.Helper()
	name, err := region.NewCoordinate("alice", "shop")
	if err != nil {
		t.Fatal(err)
	}
	events := make([]client.Event, 2)
	for i := range events {
		e := &events[i]
		e.EventID, e.Coordinate, e.Kind = cursor.NewID(), name, 0x1001
		e.Payload = []byte(`{"a": 1}`)
	}
	events[1].Where = "input:2"
	events[1].Payload = []byte{0xFF}
	return events
}

// What may have been done is done again by the same bytes, ids and all: nothing is doubled.
func TestPublishSendsTheSameAgain(t *testing.T) {
	address, bodies := script(t, hangUp, problem(503, `{"detail":"stopping"}`), problem(429, `{"accepted":1,"first":7,"last":7}`), accepts)
	c, err := client.New(address, "")
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	a, err := c.Publish(t.Context(), two(t), client.Retries{For: time.Hour, Waiting: func(error, time.Duration) { waits++ }})
	if err != nil || a.Accepted != 2 || *a.First != 7 || *a.Last != 8 {
		t.Fatalf("got %+v, %v", a, err)
	}
	got := bodies()
	if len(got) != 4 || waits != 3 {
		t.Fatalf("%d requests and %d waits, want 4 and 3", len(got), waits)
	}
	for _, body := range got {
		if body != got[0] {
			t.Errorf("sent again as\n%s, first as\n%s", body, got[0])
		}
	}
	var line struct {
		Payload any    `json:"payload"`
		Bytes   []byte `json:"payload_base64"`
	}
	lines := strings.Split(strings.TrimSpace(got[0]), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &struct{ Payload *any }{&line.Payload}); err != nil || line.Payload != `{"a": 1}` {
		t.Errorf("the payload is sent as %v, %v: want its very text", line.Payload, err)
	}
	if !strings.Contains(lines[1], `"payload_base64":"/w=="`) {
		t.Errorf("what is no text is sent as %s", lines[1])
	}
}

// What is refused for good is not sent again, and what was accepted before is told.
func TestPublishRefused(t *testing.T) {
	address, bodies := script(t, problem(422, `{"detail":"The kind is\u001b[2J\nwrong.","accepted":1,"first":5,"last":5,"event":2}`))
	c, err := client.New(address, "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Publish(t.Context(), two(t), client.Retries{For: time.Hour})
	var no *client.Problem
	if !errors.As(err, &no) || no.Status != 422 || a.Accepted != 1 || *a.Last != 5 || len(bodies()) != 1 {
		t.Fatalf("got %+v, %v after %d requests", a, err, len(bodies()))
	}
	if want := "input:2: the server answers 422 Unprocessable Entity: The kind is [2J wrong."; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// Without retries the first failure is the last.
func TestPublishWithoutRetries(t *testing.T) {
	address, bodies := script(t, hangUp)
	c, err := client.New(address, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Publish(t.Context(), two(t), client.Retries{}); err == nil || !strings.HasPrefix(err.Error(), "no answer from 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	if n := len(bodies()); n != 1 {
		t.Errorf("%d requests", n)
	}
	events := two(t)
	events[0].EventID = core.ID{}
	if _, err := c.Publish(t.Context(), events, client.Retries{}); err == nil || len(bodies()) != 1 {
		t.Errorf("without an id: %v after %d requests", err, len(bodies()))
	}
}

// A token is for the server that was named, and stays out of every message.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, text := range []string{"", "\n", "two tokens", "secret\x00", strings.Repeat("x", 5000)} {
		if _, err := client.New("http://localhost", file(text)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	elsewhere, others := script(t, accepts)
	var sent string
	address, _ := script(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	c, err := client.New(address, file("  secret\n"))
	if err != nil {
		t.Fatal(err)
	}
	var into struct{}
	if err := c.Get(t.Context(), "/v1/subscriptions", nil, &into); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a redirect: %v", err)
	}
	if sent != "Bearer secret" || len(others()) != 0 {
		t.Errorf("sent %q; the other server had %d requests", sent, len(others()))
	}
	for _, server := range []string{"", "localhost:7878", "ftp://x", "http://", "http://a:b@x", "http://x?y", "http://x\n"} {
		if _, err := client.New(server, ""); err == nil {
			t.Errorf("%q is a server", server)
		}
	}
}
