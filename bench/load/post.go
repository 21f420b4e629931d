package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// A sender appends events to a server.
type sender struct {
	url    string
	client *http.Client
}

func newSender(url string) *sender {
	return &sender{url: url + "/v1/events", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// A refusedError is an answer that is not 200.
type refusedError struct {
	status int
	text   string
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("events are refused: %d: %s", e.status, e.text)
}

// send posts events and returns when they are appended, and broadcast.
func (s *sender) send(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1000))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return &refusedError{res.StatusCode, string(text)}
	}
	return nil
}

func (s *sender) close() { s.client.CloseIdleConnections() }

// appendEvent appends an event in the form that POST /v1/events takes. id is its idempotency key; "": it has none.
func appendEvent(dst []byte, id, entity string, payload []byte) []byte {
	dst = append(dst, '{')
	if id != "" {
		dst = fmt.Appendf(dst, `"id":%q,`, id)
	}
	return fmt.Appendf(dst, `"entity":%q,"scope":"load","kind":"0x1:0x001","payload":%s}`, entity, payload)
}

// appendArray appends them as an array.
func appendArray(dst []byte, events [][]byte) []byte {
	return append(append(append(dst, '['), bytes.Join(events, []byte(","))...), ']')
}
