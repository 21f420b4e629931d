package report_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser returns the path of a Chromium. Where there is none the test is skipped; .ci/run installs it, and lets no test be
// skipped there.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no chromium on the PATH")
	}
	t.Skip("no chromium on the PATH")
	return ""
}

// A tab is a page of a browser that has no network, and what happened in it.
type tab struct {
	ctx      context.Context
	mu       sync.Mutex
	messages []string // of the console and the log, and exceptions
	requests []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		// What isn't in the page goes nowhere.
		chromedp.ProxyServer("127.0.0.1:9"), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
	)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.messages = append(b.messages, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// look shows the page in a scheme, on a screen so wide.
func (b *tab) look(t *testing.T, scheme string, width int64) {
	t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
}

// evaluated returns what an expression is in the page.
func evaluated[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%v in %s", err, expression)
	}
	return v
}

// charts tells of each chart what isn't drawn of it: an SVG without extent, a line without length, a text without ink.
const charts = `[...document.querySelectorAll('svg.chart')].map(svg => {
	const wrong = [], box = svg.getBoundingClientRect();
	if (box.width < 200 || box.height < 100) wrong.push('is ' + box.width + ' by ' + box.height);
	if (svg.querySelectorAll('path.line').length < 2) wrong.push('has no lines');
	for (const line of svg.querySelectorAll('path.line')) {
		const r = line.getBoundingClientRect();
		if (!(line.getTotalLength() > 10) || !(r.width + r.height > 5)) wrong.push('has a line without length');
		if (getComputedStyle(line).stroke === 'none') wrong.push('has a line without colour');
	}
	for (const mark of svg.querySelectorAll('path.mark')) {
		if (!(mark.getBoundingClientRect().width > 2) || getComputedStyle(mark).fill === 'none') wrong.push('has a mark that is not drawn');
	}
	for (const text of svg.querySelectorAll('text')) {
		const r = text.getBoundingClientRect();
		if (r.width > 0 && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1))
			wrong.push('cuts off "' + text.textContent + '"');
	}
	const names = [...svg.querySelectorAll('text.name')].map(t => t.getBoundingClientRect()).sort((a, b) => a.top - b.top);
	for (let i = 1; i < names.length; i++) if (names[i].top < names[i-1].bottom - 4) wrong.push('has names over one another');
	if (!svg.querySelector('title').textContent || !svg.querySelector('desc').textContent) wrong.push('does not say what it is');
	return wrong.map(w => svg.querySelector('title').textContent + ' ' + w).join('; ');
})`

// wider tells what is wider than the screen and can't be scrolled.
const wider = `[...document.querySelectorAll('body *')].filter(e => !e.closest('.wide *') && !e.closest('svg *'))
	.filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 || document.documentElement.scrollWidth > innerWidth)
	.map(e => e.tagName + '.' + e.className)`

// A page opens in a browser without network: its charts are drawn, and nothing is asked for, said, or cut off, light or dark, on
// a wide screen and on a narrow one.
func TestPageInABrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(html(t, fixed(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	b := newTab(t)
	if err := chromedp.Do(b.ctx, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	papers := make(map[string]string)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			b.look(t, scheme, width)
			for i, wrong := range evaluated[[]string](t, b, charts) {
				if wrong != "" {
					t.Errorf("%s, %d wide: chart %d: %s", scheme, width, i, wrong)
				}
			}
			if n, want := evaluated[int](t, b, `document.querySelectorAll('svg.chart').length`), len(fixed(t).Curves)+2; n != want {
				t.Errorf("%s, %d wide: %d charts, want %d", scheme, width, n, want)
			}
			if over := evaluated[[]string](t, b, wider); len(over) > 0 {
				t.Errorf("%s, %d wide: wider than the screen: %v", scheme, width, over)
			}
			papers[scheme] = evaluated[string](t, b, `getComputedStyle(document.body).backgroundColor + getComputedStyle(document.querySelector('svg.chart')).backgroundColor`)
			screenshot(t, b, fmt.Sprintf("%s-%d.png", scheme, width))
		}
	}
	if papers["light"] == papers["dark"] || !strings.Contains(papers["light"], "255, 255, 255") {
		t.Errorf("light and dark are %q", papers)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) > 0 {
		t.Errorf("the browser says %q", b.messages)
	}
	for _, r := range b.requests {
		if r != address && r != "data:," {
			t.Errorf("the page asks for %s", r)
		}
	}
	if len(b.requests) == 0 {
		t.Error("not even the page was asked for: are requests seen?")
	}
}

// screenshot keeps a picture of the page in the folder that SPILLWAY_SCREENSHOTS names, for whoever wants to look.
func screenshot(t *testing.T, b *tab, name string) {
	folder := os.Getenv("SPILLWAY_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
