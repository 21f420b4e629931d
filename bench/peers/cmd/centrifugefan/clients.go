package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coder/websocket"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// A client speaks the protocol's JSON: a frame is one or more objects, a line each.
type client struct {
	conn *websocket.Conn
	id   int // of the last command
}

func dial(ctx context.Context, url string) (*client, error) {
	conn, res, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	if res.Body != nil {
		_ = res.Body.Close() // the connection is conn's
	}
	c := &client{conn: conn}
	if err := c.ask(ctx, `"connect":{}`); err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return c, nil
}

// A reply is what comes for a command.
type reply struct {
	ID    int `json:"id"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// ask sends commands in one frame, and returns when the last is answered. Nothing else comes to a client before it has subscribed.
func (c *client) ask(ctx context.Context, commands ...string) error {
	var frame bytes.Buffer
	for _, command := range commands {
		c.id++
		fmt.Fprintf(&frame, "{\"id\":%d,%s}\n", c.id, command)
	}
	if err := c.conn.Write(ctx, websocket.MessageText, frame.Bytes()); err != nil {
		return err
	}
	for {
		_, frame, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(frame) {
			var r reply
			if err := json.Unmarshal(line, &r); err != nil {
				return fmt.Errorf("%.200q: %w", line, err)
			}
			switch {
			case r.Error != nil:
				return fmt.Errorf("command %d: %d: %s", r.ID, r.Error.Code, r.Error.Message)
			case r.ID == c.id:
				return nil
			case r.ID == 0:
				if err := c.pong(ctx, line); err != nil {
					return err
				}
			}
		}
	}
}

// pong answers a ping, which is an object without anything.
func (c *client) pong(ctx context.Context, line []byte) error {
	if text := bytes.TrimSpace(line); len(text) != 2 {
		return fmt.Errorf("nobody asked for %.200q", text)
	}
	return c.conn.Write(ctx, websocket.MessageText, []byte("{}"))
}

var push = []byte(`{"push":`)

// read takes what is pushed, until the connection is closed.
func (c *client) read(ctx context.Context, m *fan.Member) error {
	for {
		_, frame, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(frame) {
			if bytes.HasPrefix(line, push) {
				err = m.Got(line)
			} else {
				err = c.pong(ctx, line)
			}
			if err != nil {
				return err
			}
		}
	}
}

func come(ctx context.Context, url string, c *fan.Crowd, clients int) (send func(context.Context, [][]byte) error, leave func(), err error) {
	ctx, stop := context.WithCancel(ctx)
	var all []*client
	var readers sync.WaitGroup
	leave = func() {
		stop()
		for _, c := range all {
			_ = c.conn.CloseNow()
		}
		readers.Wait()
	}
	for i := range clients {
		one, err := dial(ctx, url)
		if err == nil {
			all = append(all, one)
			err = one.ask(ctx, `"subscribe":{"channel":"`+channel+`"}`)
		}
		if err != nil {
			leave()
			return nil, nil, fmt.Errorf("client %d: %w", i, err)
		}
		m := c.Join(0)
		readers.Go(func() {
			if err := one.read(ctx, m); ctx.Err() == nil {
				c.Fail(err)
			}
		})
	}
	from, err := dial(ctx, url)
	if err != nil {
		leave()
		return nil, nil, err
	}
	all = append(all, from)
	return func(ctx context.Context, events [][]byte) error {
		commands := make([]string, len(events))
		for i, e := range events {
			commands[i] = `"publish":{"channel":"` + channel + `","data":` + string(e) + `}`
		}
		return from.ask(ctx, commands...)
	}, leave, nil
}
