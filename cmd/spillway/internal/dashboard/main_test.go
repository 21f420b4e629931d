package dashboard_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// A chromium is the browser that all tests have in common; each has its own profile in it. To start one takes longer than most tests do.
type chromium struct {
	once sync.Once
	ctx  context.Context
	end  context.CancelFunc
	err  error
}

var browser chromium

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.end != nil {
		browser.end()
	}
	os.Exit(code)
}

// started returns the context of the browser. Where there is none the test is skipped; .ci/run installs it, and lets no test be
// skipped there.
func (c *chromium) started(t *testing.T) context.Context {
	t.Helper()
	c.once.Do(func() {
		path := ""
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
			if path, c.err = exec.LookPath(name); c.err == nil {
				break
			}
		}
		if c.err != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
			// It reaches this machine alone.
			chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		)
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator)
		c.ctx, c.end = ctx, func() {
			cancel()
			stop()
		}
		c.err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	})
	switch {
	case c.err == nil:
	case c.ctx == nil && os.Getenv("CI") == "":
		t.Skip("no chromium on the PATH")
	default:
		t.Fatalf("no chromium: %v", c.err)
	}
	return c.ctx
}
