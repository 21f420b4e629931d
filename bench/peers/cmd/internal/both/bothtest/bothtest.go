// Package bothtest has a peer's two commands do a little work together, in one process.
package bothtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/peers/cmd/internal/both"
)

// Run wants the figures of a fan.Work that all clients did, and that the server ends when it is asked to.
func Run(t *testing.T, p both.Peer) {
	t.Helper()
	out, in := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- both.Run(ctx, p, []string{"serve"}, nil, in) }()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	work, err := json.Marshal(fan.Work{Clients: 5, Bytes: 200, Rate: 100, Paced: 100 * time.Millisecond, Block: 10})
	if err != nil {
		t.Fatal(err)
	}
	var figures bytes.Buffer
	if err := both.Run(ctx, p, []string{"drive", strings.TrimSpace(url)}, bytes.NewReader(work), &figures); err != nil {
		t.Error(err)
	}
	var f fan.Figures
	if err := json.Unmarshal(figures.Bytes(), &f); err != nil || f.Clients != 5 || f.Deliveries != 5*(3*10+10) || f.P99 <= 0 {
		t.Errorf("%v: %s; want %d deliveries", err, figures.String(), 5*(3*10+10))
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if err := both.Run(t.Context(), p, nil, nil, nil); err == nil {
		t.Error("no command was taken for one")
	}
}
