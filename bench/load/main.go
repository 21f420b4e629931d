// Command load loads spillway serve, as a process of its own, from this one: by loopback alone, and for so long, with so much memory and so
// many descriptors, and no more.
//
//	go run ./bench/load --out docs/load.md    all parts, about half an hour on two cores
//	go run ./bench/load --short               a little of each, in a minute or so
//	go run ./bench/load --only crowd          one of crowd, steady, restarts, slow, peers
//
// A part prints a table and what it has asserted, and an assertion that does not hold has the command exit with 1. What is merely slow
// stays in the table as it is.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
