package main

import (
	"net"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// A server is asked by the address that it listens at, whichever of this machine's it is.
func TestServeIsAskedByItsAddress(t *testing.T) {
	for _, c := range []struct{ ip, host string }{
		{"127.0.0.1", "127.0.0.1:7878"},
		{"127.0.0.1", "localhost:7878"},
		{"127.0.0.2", "127.0.0.2:7878"},
		{"127.0.0.2", "localhost:7878"},
		{"::1", "[::1]:7878"},
		{"::ffff:127.0.0.3", "127.0.0.3:7878"},
	} {
		var o serving
		var options server.Options
		if err := o.access(&net.TCPAddr{IP: net.ParseIP(c.ip), Port: 7878}, &options); err != nil || !slices.Contains(options.Hosts, c.host) || options.AnyAddress {
			t.Errorf("at %s it is asked by %q (%v), want %s", c.ip, options.Hosts, err, c.host)
		}
	}
}
