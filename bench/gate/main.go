// Command gate measures every row of the bench beside its baseline, and fails where one falls short of its target.
//
//	go run ./bench/gate                      all rows
//	go run ./bench/gate --quick              those that take seconds, and what is counted, judged mildly: for CI
//	go run ./bench/gate --row P5 --row P1    some
//	go run ./bench/gate --peers              the rivals, in a binary of their own
//	go run ./bench/gate --calibrate          how much this machine lets equal code differ
//	go run ./bench/gate --record             keep the figures in bench/history.jsonl and bench/baselines.json
//	go run ./bench/gate --regress            this tree against the last recorded commit
//	go run ./bench/gate --selfcheck          each of bench/regress/*.patch must be caught
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // as a terminal asks, and as a CI does
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
