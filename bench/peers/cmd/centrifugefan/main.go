// Command centrifugefan has a centrifuge node, in memory, fan out to clients by its WebSocket and JSON: at most once, as channels have no
// history unless it is asked for.
package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/spillwayhq/spillway/bench/peers/cmd/internal/both"
)

const channel = "fan"

func main() { both.Main(peer) }

var peer = both.Peer{Module: "github.com/centrifugal/centrifuge", Serve: serve, Come: come}

func serve(ctx context.Context, ready func(url string)) error {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
		c.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			reply(centrifuge.PublishReply{}, nil) // the node publishes it
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	defer func() { _ = node.Shutdown(context.Background()) }() // it has nothing to lose
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{
		Handler:           centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{UseWriteBufferPool: true}),
		ReadHeaderTimeout: 5 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	ready("ws://" + l.Addr().String())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return s.Close()
	}
}
