package dashboard_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// The page's counts are the publisher's, whatever becomes of the server in between.
func TestNothingIsLostOverARestart(t *testing.T) {
	s := newStandin(t)
	b := newBrowser(t)
	b.open(s.url())
	published := 0
	publish := func(n int) {
		for range n {
			s.publish("alice:cart", "shop", `1`)
			published++
		}
	}
	s.stop() // before the first event, with none to name
	publish(3)
	s.start()
	b.seen(published)
	for range 3 {
		publish(10)
		s.stop()
		publish(10)
		s.start()
		publish(10)
		b.seen(published)
	}
	b.until(`document.getElementById('state').dataset.phase === 'live'`)
	b.quiet(true)
}

// A replay joins the tail: each event once, those of the region alone.
func TestReplayJoinsTheTail(t *testing.T) {
	s := newStandin(t)
	for i := range 10 {
		s.publish([]string{"alice:cart", "alice2"}[i%2], "shop", `1`)
	}
	b := newBrowser(t)
	b.open(s.url())
	b.do(chromedp.SetValue("#tail-region", "entity=alice"), chromedp.SendKeys("#tail-from", "5"+kb.Enter)) // 5, 7 and 9
	s.publish("alice:order", "shop", `1`)
	s.publish("bob", "shop", `1`)
	b.seen(4)
	s.publish("alice", "shop", `1`)
	b.seen(5)
	// What comes while the log is read is in both.
	reading, read := make(chan struct{}), make(chan struct{})
	s.change(func() {
		s.beforePage = sync.OnceFunc(func() {
			close(reading)
			<-read
		})
	})
	b.do(chromedp.SendKeys("#tail-from", kb.Enter))
	<-reading
	s.publish("alice", "shop", `1`)
	b.until(`document.getElementById('stat-next').textContent === '15'`)
	close(read)
	b.until(`document.querySelector('#tail-list .number')?.textContent === '#14' && document.getElementById('tail-said').textContent === ''`)
	b.seen(6)
	rows := evaluated[string](b, `[...document.querySelectorAll('#tail-list .number')].map(n => n.textContent).join(' ')`)
	if want := "#14 #13 #11 #9 #7 #5"; rows != want {
		t.Errorf("the rows are %s, want %s", rows, want)
	}
	b.do(chromedp.SetValue("#tail-region", "entity="), chromedp.SendKeys("#tail-region", kb.Enter))
	b.until(`document.getElementById('tail-region').getAttribute('aria-invalid') === 'true' && document.getElementById('tail-said').textContent !== ''`)
	b.quiet(false)
}

// H177: tabs share one stream, so that the seventh page loads; and when the tab that has it goes, another goes on where it was.
func TestH177TabsShareOneStream(t *testing.T) {
	s := newStandin(t)
	first := newBrowser(t)
	first.open(s.url())
	tabs := []*tab{first}
	for range 6 {
		b := newTab(t, first.ctx)
		b.open(s.url())
		tabs = append(tabs, b)
	}
	if opened, most := s.opens(); opened != 1 || most != 1 {
		t.Errorf("%d streams for %d tabs, %d at one time; want one", opened, len(tabs), most)
	}
	published := 0
	publish := func() {
		for range 20 {
			s.publish("alice", "shop", `1`)
			published++
		}
	}
	publish()
	for _, b := range tabs {
		b.seen(published)
	}
	// The second leads next. The first may not be closed: its context is the browser's.
	publish()
	first.do(chromedp.Navigate("about:blank"))
	publish()
	for _, b := range tabs[1:] {
		b.seen(published)
	}
	leads := 0
	for _, b := range tabs[1:] {
		if evaluated[string](b, `document.documentElement.dataset.leads`) == "true" {
			leads++
		}
	}
	opened, most := s.opens()
	// One more where a tab answers the call so late, and had got so little, that the stream began without it.
	if leads != 1 || opened < 2 || opened > 3 || most > 2 {
		t.Errorf("%d tabs lead, %d streams were opened, %d at one time; want 1, 2 or 3, and 1, or 2 while one ends", leads, opened, most)
	}
	// A tab that answers the new leader that it has got nothing yet gets everything again, and nobody else counts it twice.
	resent := evaluated[int](tabs[2], fmt.Sprintf(`new Promise(done => {
		const channel = new BroadcastChannel('spillway'), ids = new Set();
		channel.onmessage = e => {
			for (const item of e.data.items ?? []) if (item.id) ids.add(item.id);
			if (ids.size === %d) done(ids.size);
		};
		channel.postMessage({ kind: 'tab', tab: 'late', region: '*', place: { log: '3f2a91bc', next: 1 } });
	})`, published))
	publish()
	for _, b := range tabs[1:] {
		b.front()
		b.until(fmt.Sprintf(`document.querySelector('#tail-list .number').textContent === '#%d'`, published))
		b.seen(published)
	}
	if resent != published-20 {
		t.Errorf("%d events were sent again, want %d", resent, published-20)
	}
	// A tab with another region gets its own events, and the others theirs.
	tabs[1].front()
	tabs[1].do(chromedp.SetValue("#tail-region", "entity=bob"), chromedp.SendKeys("#tail-region", kb.Enter))
	s.publish("bob", "shop", fmt.Sprint(1))
	published++
	tabs[1].seen(1)
	tabs[2].seen(published)
	for _, b := range tabs {
		b.quiet(true)
	}
}

// Where the server wants a token the page asks for it, and goes on when it has a cookie.
func TestTokenIsAskedFor(t *testing.T) {
	s := newStandin(t)
	s.token = "open sesame"
	b := newBrowser(t)
	b.do(chromedp.Navigate(s.url()), chromedp.WaitVisible("#session"))
	b.until(`document.getElementById('state').dataset.phase === 'token' && document.activeElement.id === 'token'`)
	b.do(chromedp.KeyEvent("wrong" + kb.Enter))
	b.until(`document.getElementById('token-said').textContent === 'that is not the token'`)
	b.do(chromedp.KeyEvent(s.token + kb.Enter))
	b.until(`document.getElementById('state').dataset.phase === 'live' && document.getElementById('session').hidden`)
	s.publish("alice", "shop", `1`)
	b.seen(1)
	if kept := evaluated[string](b, `document.cookie + document.getElementById('token').value + location.href`); contains(kept, "sesame") || contains(kept, "good") {
		t.Errorf("the page keeps %s", kept)
	}
	b.quiet(true)
}
