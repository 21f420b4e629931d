package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A firstLine is told what is written, and calls something after the first.
type firstLine struct {
	strings.Builder
	once sync.Once
	then func()
}

func (f *firstLine) Write(p []byte) (int, error) {
	defer f.once.Do(f.then)
	return f.Builder.Write(p)
}

// What ends while top looks is told, by whoever was ended where.
func TestTopTellsEnds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process: not with -short")
	}
	c := startServe(t, "", "--data", filepath.Join(t.TempDir(), "log"), "--listen", "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		var out, says strings.Builder
		run(ctx, []string{"watch", "lane=1", "--server", c.url}, stdio{in: strings.NewReader(""), out: &out, err: &says})
	})
	if err := answered(c.url+"/v1/subscriptions", `"region":"lane=1"`); err != nil {
		t.Fatal(err)
	}
	var out firstLine
	out.then = func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, c.url+"/v1/subscriptions/1", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		res, err := oneShot.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		_ = res.Body.Close()
	}
	var says strings.Builder
	if code := run(t.Context(), []string{"top", "--count", "2", "--server", c.url}, stdio{in: strings.NewReader(""), out: &out, err: &says}); code != 0 {
		t.Errorf("exit %d: %s", code, says.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines: %s", n, out.String())
	}
	if got := says.String(); !strings.HasPrefix(got, "spillway: ended: cancelled ") || !strings.Contains(got, "by DELETE /v1/subscriptions: lane=1, missed nothing; ") || !strings.Contains(got, ".go:") {
		t.Errorf("it says %q", got)
	}
	cancel()
	watching.Wait()
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v: %s", err, c.err.String())
	}
}
