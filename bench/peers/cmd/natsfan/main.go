// Command natsfan has a plain nats-server, in memory, fan out to core subscriptions of nats.go, a connection each: at most once, and
// nothing is kept.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/peers/cmd/internal/both"
)

const subject = "fan"

func main() { both.Main(peer) }

var peer = both.Peer{Module: "github.com/nats-io/nats-server/v2", Serve: serve, Come: come}

func serve(ctx context.Context, ready func(url string)) error {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	go s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("the NATS server is not ready")
	}
	ready(s.ClientURL())
	<-ctx.Done()
	return nil
}

func come(_ context.Context, url string, c *fan.Crowd, clients int) (send func(context.Context, [][]byte) error, leave func(), err error) {
	var conns []*nats.Conn
	leave = func() {
		for _, nc := range conns {
			nc.Close()
		}
	}
	connect := func() (*nats.Conn, error) {
		nc, err := nats.Connect(url, nats.NoReconnect(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.Fail(err) }))
		if err == nil {
			conns = append(conns, nc)
		}
		return nc, err
	}
	for i := range clients {
		nc, err := connect()
		if err == nil {
			m := c.Join(0)
			_, err = nc.Subscribe(subject, func(msg *nats.Msg) { _ = m.Got(msg.Data) }) // the crowd has what is wrong
		}
		if err == nil {
			err = nc.Flush() // the server has the subscription
		}
		if err != nil {
			leave()
			return nil, nil, fmt.Errorf("client %d: %w", i, err)
		}
	}
	from, err := connect()
	if err != nil {
		leave()
		return nil, nil, err
	}
	return func(ctx context.Context, events [][]byte) error {
		for _, e := range events {
			if err := from.Publish(subject, e); err != nil {
				return err
			}
		}
		flushing, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return from.FlushWithContext(flushing)
	}, leave, nil
}
