package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// frames N URL [HEADER: VALUE ...] reads a stream up to its Nth event of a log, and leaves: what came is its stdout, line by line.
func frames(ts *testscript.TestScript, _ bool, args []string) {
	left, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[1], http.NoBody)
	ts.Check(err)
	for _, h := range args[2:] {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := oneShot.Do(req)
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[1], res.Status)
	}
	var all strings.Builder
	lines := bufio.NewScanner(res.Body)
	for left > 0 && lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), `data: {"sequence":`) {
			left--
		}
	}
	if left > 0 {
		ts.Fatalf("the stream ends (%v), and %d events are missing:\n%s", lines.Err(), left, all.String())
	}
	_, err = ts.Stdout().Write([]byte(all.String()))
	ts.Check(err)
}
