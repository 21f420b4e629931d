package dashboard_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A tab is a page of a browser that reaches this machine alone, and what the browser said about it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	said   []string // by the console and the log, and exceptions
}

// newBrowser returns a tab of a new profile. It has two minutes.
func newBrowser(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(browser.started(t), 2*time.Minute)
	t.Cleanup(cancel)
	return newTab(t, ctx, chromedp.WithNewBrowserContext())
}

// newTab opens a tab; of another tab's context it is of the same profile.
func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, cancel: cancel}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) note(e any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := e.(type) {
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.said = append(b.said, string(e.Entry.Source)+": "+e.Entry.Text)
	}
}

// quiet fails where the browser said anything but, in tests that cut connections or are refused, that of the network.
func (b *tab) quiet(cut bool) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	said := slices.DeleteFunc(slices.Clone(b.said), func(s string) bool { return cut && strings.HasPrefix(s, "network: ") })
	if len(said) > 0 {
		b.t.Errorf("the browser says %q", said)
	}
}

// saysUntil waits until the browser has said so many things of a kind.
func (b *tab) saysUntil(kind string, n int) {
	b.t.Helper()
	for b.ctx.Err() == nil {
		b.mu.Lock()
		said := slices.DeleteFunc(slices.Clone(b.said), func(s string) bool { return !strings.HasPrefix(s, kind+": ") })
		b.mu.Unlock()
		if len(said) >= n {
			return
		}
		evaluated[int](b, `1`) // what it said before has come when this is answered
	}
	b.t.Errorf("the browser says %q", b.said)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if err := chromedp.Do(b.ctx, a); err != nil {
			b.t.Fatal(err)
		}
	}
}

// open shows the dashboard of a server, and returns when its stream is live.
func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.until(`document.getElementById('state').dataset.phase === 'live'`)
}

// front has the tab be the one that is looked at: the others draw nothing.
func (b *tab) front() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.BringToFront, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

// evaluated returns what an expression is in the page; of a promise, what it becomes.
func evaluated[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%v in %s", err, expression)
	}
	return v
}

// until waits for a condition, and where it does not come says what the page shows.
func (b *tab) until(condition string) {
	b.t.Helper()
	if !evaluated[bool](b, `new Promise(done => {
		let looks = 0;
		const look = () => (`+condition+`) ? done(true) : ++looks > 1000 ? done(false) : setTimeout(look, 20);
		look();
	})`) {
		b.t.Fatalf("never: %s; the page shows:\n%s", condition, evaluated[string](b, `document.body.innerText.replace(/\s+/g, ' ').slice(0, 2000)`))
	}
}

// seen waits until the tail has counted so many events, and fails if it has counted more.
func (b *tab) seen(n int) {
	b.t.Helper()
	b.until(fmt.Sprintf(`+document.getElementById('tail-count').dataset.count >= %d`, n))
	if got := evaluated[int](b, `+document.getElementById('tail-count').dataset.count`); got != n {
		b.t.Errorf("the page counts %d events, want %d", got, n)
	}
}

// look shows the page in a scheme, on a screen so wide.
func (b *tab) look(scheme string, width int64) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, 1000))
}
