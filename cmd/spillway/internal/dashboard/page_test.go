package dashboard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const subscribed = `{"subscriptions":[
	{"id":1,"sink":"channel","region":"scope=shop","held":12,"capacity":1024,"lost":0,"since":"2026-11-25T09:12:00Z","site":"orders/projector.go:41"},
	{"id":2,"sink":"ring","region":"entity=alice:cart","held":250,"capacity":256,"lost":17,"since":"2026-11-25T10:12:00Z","site":"search/indexer.go:88"},
	{"id":3,"sink":"sse","region":"*","held":3,"capacity":64,"lost":0,"since":"2026-11-25T10:14:00Z","site":"adapters/sse/union.go:60"}],"more":false}`

const pruned = `{"at":1764061706000,"id":9,"region":"category=0x1","sink":"channel","site":"mail/sender.go:30","cause":"pruned: Full","verdict":"Full","missed":7,"held":64,"capacity":64,"since":1764061700000}`

// shop is a server with something to show.
func shop(t *testing.T) *standin {
	t.Helper()
	s := newStandin(t)
	s.subscriptions = subscribed
	for i := range 24 {
		who := []string{"alice:cart", "bob:cart", "alice:order:7", "carol"}[i%4]
		s.publish(who, "shop", fmt.Sprintf(`{"total":%d,"currency":"EUR"}`, 12+i))
	}
	s.notify("ended", pruned)
	return s
}

// wider tells what is wider than the screen.
const wider = `[...document.querySelectorAll('body *')].filter(e => !e.closest('.skip, thead'))
	.filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 || document.documentElement.scrollWidth > innerWidth)
	.map(e => e.tagName + '#' + e.id + '.' + e.className)`

// The page shows everything that there is to show, light and dark, on a wide screen and on a phone, and the browser has nothing
// to say about it.
func TestPageShowsWhatThereIs(t *testing.T) {
	s := shop(t)
	b := newBrowser(t)
	b.look("light", 1280)
	b.open(s.url())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(24)
	b.until(`document.querySelectorAll('#subscriptions-rows tr').length === 3`)
	if first := evaluated[string](b, `document.querySelector('#subscriptions-rows tr .site').textContent`); first != "search/indexer.go:88" {
		t.Errorf("the fullest is subscribed at %q", first)
	}
	b.until(`document.querySelectorAll('#prunes-list li').length === 1`)
	for _, want := range []string{"Full", "category=0x1", "missed from 7 on", "mail/sender.go:30"} {
		if !evaluated[bool](b, fmt.Sprintf(`document.getElementById('prunes-list').textContent.includes(%q)`, want)) {
			t.Errorf("the prune doesn't say %q", want)
		}
	}
	b.until(`document.getElementById('stat-lost').textContent === '17' && document.getElementById('rates-words').textContent.includes('broadcasts/s')`)
	papers := make(map[string]string)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			b.look(scheme, width)
			b.until(fmt.Sprintf(`innerWidth === %d && [...document.querySelectorAll('.chart canvas')].every(c => c.getBoundingClientRect().right <= innerWidth)`, width))
			if over := evaluated[[]string](b, wider); len(over) > 0 {
				t.Errorf("%s, %d wide: wider than the screen: %v", scheme, width, over)
			}
			papers[scheme] = evaluated[string](b, `getComputedStyle(document.body).backgroundColor`)
			if width == 1280 {
				b.until(`document.getElementById('stat-broadcasts').textContent.length > 4`)
				screenshot(t, b, scheme)
			}
		}
	}
	if papers["light"] == papers["dark"] {
		t.Errorf("light and dark are both %s", papers["light"])
	}
	b.quiet(false)
}

// screenshot keeps the picture for README and docs in the folder that SPILLWAY_SCREENSHOTS names.
func screenshot(t *testing.T, b *tab, scheme string) {
	folder := os.Getenv("SPILLWAY_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) > 200_000 {
		t.Errorf("the picture in %s has %d bytes", scheme, len(picture))
	}
	if err := os.WriteFile(filepath.Join(folder, "dashboard-"+scheme+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// H197: names and payloads that are markup are shown as the text they are.
func TestH197HostileTextIsText(t *testing.T) {
	const hostile = `<img/src=x/onerror=document.title='owned'><script>document.title='owned'</script>`
	s := newStandin(t)
	s.subscriptions = fmt.Sprintf(`{"subscriptions":[{"id":1,"sink":%q,"region":%q,"held":1,"capacity":2,"lost":0,"since":"x","site":%q,"error":%q}],"more":false}`,
		hostile, hostile, hostile, hostile)
	s.notify("ended", fmt.Sprintf(`{"at":1,"region":%q,"sink":%q,"site":%q,"cause":%q,"verdict":%q,"missed":1}`, hostile, hostile, hostile, hostile, hostile))
	s.publish(hostile, hostile, fmt.Sprintf(`{"a":%q,"n":12345678901234567890}`, hostile))
	b := newBrowser(t)
	b.open(s.url())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(1)
	b.until(`document.querySelectorAll('#prunes-list li, #subscriptions-rows tr, #tree li').length === 3`)
	for _, where := range []string{"#tail-list .name", "#tail-list .quiet", "#tail-list code", "#prunes-list .name", "#prunes-list .site", "#subscriptions-rows .name", "#tree .name"} {
		if !evaluated[bool](b, fmt.Sprintf(`document.querySelector(%q).textContent.includes('<img/src=x/onerror=')`, where)) {
			t.Errorf("%s doesn't show the text", where)
		}
	}
	if n := evaluated[int](b, `document.querySelectorAll('img, body script').length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	if title := evaluated[string](b, `document.title`); title != "Spillway" {
		t.Errorf("the title is %q: a script ran", title)
	}
	if code := evaluated[string](b, `document.querySelector('#tail-list code').textContent`); !contains(code, `12345678901234567890`) {
		t.Errorf("the payload's number is another: %s", code)
	}
	b.quiet(false)
}

// Everything is reached by the keyboard, and the tree goes by the arrows.
func TestKeyboardAlone(t *testing.T) {
	s := shop(t)
	b := newBrowser(t)
	b.open(s.url())
	b.until(`document.querySelectorAll('#tree > li').length === 3`)
	var order []string
	for range 9 {
		b.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, evaluated[string](b, `document.activeElement.id || document.activeElement.dataset.entity || document.activeElement.textContent`))
		if !evaluated[bool](b, `(e => [e, ...e.querySelectorAll('.label')].some(x => getComputedStyle(x).outlineStyle !== 'none'))(document.activeElement)`) {
			t.Errorf("%s has the focus and doesn't show it", order[len(order)-1])
		}
	}
	want := []string{"To the events", "tree-refresh", "alice", "tail-region", "tail-from", "Show", "tail-pause", "tail-list", "prunes-list"}
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("the focus goes\n%q, want\n%q", order, want)
	}
	evaluated[bool](b, `document.querySelector('#tree [tabindex="0"]').focus() ?? true`)
	at := func(entity string) {
		t.Helper()
		b.until(fmt.Sprintf(`document.activeElement.dataset.entity === %q && document.activeElement.tabIndex === 0`, entity))
	}
	for _, step := range []struct{ key, at string }{
		{kb.ArrowDown, "bob"}, {kb.End, "carol"}, {kb.ArrowDown, "carol"}, {kb.Home, "alice"}, {kb.ArrowUp, "alice"},
	} {
		b.do(chromedp.KeyEvent(step.key))
		at(step.at)
	}
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	b.until(`document.activeElement.querySelectorAll(':scope > [role=group] > li').length === 2`)
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	at("alice:cart")
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	at("alice:order")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.activeElement.getAttribute('aria-selected') === 'true' && document.getElementById('tail-region').value === 'entity=alice:order'`)
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	at("alice")
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	b.until(`document.activeElement.getAttribute('aria-expanded') === 'false' && !document.querySelector('#tree [role=group]')`)
	if n := evaluated[int](b, `document.querySelectorAll('#tree [tabindex="0"]').length`); n != 1 {
		t.Errorf("%d items of the tree can be reached by Tab, want 1", n)
	}
	b.quiet(false)
}
