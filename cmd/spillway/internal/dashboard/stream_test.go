package dashboard_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The page's counts are the publisher's, whatever becomes of the server in between: its own EventSource loses nothing over restarts.
func TestNothingIsLostOverARestart(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	b := newBrowser(t)
	b.open(s.page())
	s.stop() // before the first event, with none to name
	s.start()
	s.publish(`1`, many(3, "alice:cart")...)
	b.seen(s.published)
	for range 3 {
		s.publish(`1`, many(10, "alice:cart")...)
		s.stop()
		s.start()
		s.publish(`1`, many(10, "alice:cart")...) // mostly before the page is back
		b.seen(s.published)
	}
	b.until(`document.getElementById('state').dataset.phase === 'live'`)
	// Another log at the same address is told as one, and its events come.
	s.stop()
	s.forget()
	s.start()
	b.until(`document.querySelector('#tail-list .gap')?.textContent.startsWith('The log is another one') && document.getElementById('state').dataset.phase === 'live'`)
	before := evaluated[int](b, `+document.getElementById('tail-count').dataset.count`)
	s.publish(`1`, many(5, "alice:cart")...)
	b.seen(before + s.published)
	b.quiet(true)
}

// A replay joins the tail: each event once, those of the region alone.
func TestReplayJoinsTheTail(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for range 5 {
		s.publish(`1`, "alice2", "alice:cart")
	}
	b := newBrowser(t)
	b.open(s.page())
	b.do(chromedp.SetValue("#tail-region", "entity=alice"), chromedp.SendKeys("#tail-from", "5"+kb.Enter)) // 5, 7 and 9
	s.publish(`1`, "alice:order", "bob")
	b.seen(4)
	s.publish(`1`, "alice")
	b.seen(5)
	// What comes while the log is read is in both: the first page is held back until the stream has had it.
	evaluated[bool](b, `(() => {
		const ask = window.fetch;
		window.fetch = async (...of) => {
			const answer = await ask(...of);
			if (of[0].startsWith('/v1/log?')) {
				window.fetch = ask;
				window.reading = true;
				await new Promise(on => { window.readOn = on; });
			}
			return answer;
		};
		return true;
	})()`)
	b.do(chromedp.SendKeys("#tail-from", kb.Enter))
	b.until(`window.reading`)
	s.publish(`1`, "alice")
	b.until(`document.getElementById('stat-next').textContent === '14'`)
	evaluated[bool](b, `readOn() ?? true`)
	b.until(`document.querySelector('#tail-list .number')?.textContent === '#13' && document.getElementById('tail-said').textContent === ''`)
	b.seen(6)
	rows := evaluated[string](b, `[...document.querySelectorAll('#tail-list .number')].map(n => n.textContent).join(' ')`)
	if want := "#13 #12 #10 #9 #7 #5"; rows != want {
		t.Errorf("the rows are %s, want %s", rows, want)
	}
	b.do(chromedp.SetValue("#tail-region", "entity="), chromedp.SendKeys("#tail-region", kb.Enter))
	b.until(`document.getElementById('tail-region').getAttribute('aria-invalid') === 'true' && document.getElementById('tail-said').textContent !== ''`)
	b.quiet(false)
}

// What retention has dropped is told in the place where it was, and the replay goes on with what is left.
func TestReplayOfALogThatWasCut(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.stop()
	s.options.MaxEvents = 100
	s.start()
	for range 10 {
		s.publish(`1`, many(30, "alice")...)
	}
	_, header, _ := s.ask("GET", "/v1/log?limit=1", "", "")
	_, text, _ := strings.Cut(header.Get("Spillway-Next"), "-")
	next, err := strconv.Atoi(text)
	if err != nil || next < 3 {
		t.Fatalf("nothing was dropped: %q", text)
	}
	b := newBrowser(t)
	b.open(s.page())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(s.published - (next - 1))
	if n := evaluated[int](b, `document.querySelectorAll('.gap').length`); n != 0 {
		t.Errorf("from the start there are %d gaps, want none", n)
	}
	evaluated[bool](b, `document.getElementById('tail-from').select() ?? true`)
	b.do(chromedp.SendKeys("#tail-from", "1"+kb.Enter))
	b.until(fmt.Sprintf(`document.querySelector('#tail-list .gap')?.textContent === 'The log has dropped 1 to %d.'`, next-2))
	b.seen(s.published - (next - 1))
	if evaluated[string](b, `document.querySelector('#tail-list').lastChild.className`) != "gap" {
		t.Error("the gap isn't where it was")
	}
	s.publish(`1`, "alice")
	b.seen(s.published - (next - 1))
	b.quiet(true) // an answer of 410 is told as an error of the network's
}

// A replay of more than a page has each event once. Who pauses is shown nothing of what comes meanwhile, and the server sends none.
func TestReplayAndPause(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for range 12 {
		s.publish(`1`, many(100, "alice")...)
	}
	b := newBrowser(t)
	b.open(s.page())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(1200)
	b.do(chromedp.Click("#tail-pause"))
	s.until("/v1/subscriptions", `"subscriptions":[]`)
	s.publish(`1`, "alice")
	b.do(chromedp.Click("#tail-pause"))
	s.until("/v1/subscriptions", `"region":"*"`)
	s.publish(`1`, "alice")
	b.seen(1)
	b.quiet(false)
}

// H177: tabs share one stream, so that the seventh page loads; and when the tab that has it goes, another goes on where it was.
func TestH177TabsShareOneStream(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	first := newBrowser(t)
	first.open(s.page())
	tabs := []*tab{first}
	for range 6 {
		b := newTab(t, first.ctx)
		b.open(s.page())
		tabs = append(tabs, b)
	}
	// Each stream is begun twice: by a request that asks for its place, and is broken off, and by the EventSource.
	if opened, now := s.figure("spillway_sse_opened_total"), s.figure("spillway_sse_streams"); opened != 2 || now != 1 {
		t.Errorf("%d streams were begun for %d tabs, %d are open; want 2, of one, and 1", opened, len(tabs), now)
	}
	publish := func() { s.publish(`1`, many(20, "alice")...) }
	publish()
	for _, b := range tabs {
		b.seen(s.published)
	}
	// The second leads next. The first may not be closed: its context is the browser's.
	publish()
	first.do(chromedp.Navigate("about:blank"))
	publish()
	for _, b := range tabs[1:] {
		b.seen(s.published)
	}
	leads := 0
	for _, b := range tabs[1:] {
		if evaluated[string](b, `document.documentElement.dataset.leads`) == "true" {
			leads++
		}
	}
	opened := s.figure("spillway_sse_opened_total")
	// One more where a tab answers the call so late, and had got so little, that the stream began without it.
	if leads != 1 || opened < 4 || opened > 6 {
		t.Errorf("%d tabs lead, %d streams were begun; want 1, and twice 2 or 3", leads, opened)
	}
	// A tab that answers the new leader that it has got nothing yet gets everything again, and nobody else counts it twice.
	_, header, _ := s.ask("GET", "/v1/log?limit=1", "", "")
	log := header.Get("Spillway-Log")
	resent := evaluated[int](tabs[2], fmt.Sprintf(`new Promise(done => {
		const channel = new BroadcastChannel('spillway'), ids = new Set();
		channel.onmessage = e => {
			for (const item of e.data.items ?? []) if (item.id) ids.add(item.id);
			if (ids.size === %d) done(ids.size);
		};
		channel.postMessage({ kind: 'tab', tab: 'late', region: '*', place: { log: %q, next: 0 } });
	})`, s.published, log[len(log)-8:]))
	publish()
	for _, b := range tabs[1:] {
		b.seen(s.published)
	}
	tabs[2].front()
	tabs[2].until(fmt.Sprintf(`document.querySelector('#tail-list .number').textContent === '#%d' && document.getElementById('tail-count').textContent === '%d'`,
		s.published-1, s.published))
	if resent != s.published-20 {
		t.Errorf("%d events were sent again, want %d", resent, s.published-20)
	}
	// A tab with another region gets its own events, and the others theirs.
	tabs[1].front()
	tabs[1].do(chromedp.SetValue("#tail-region", "entity=bob"), chromedp.SendKeys("#tail-region", kb.Enter))
	s.publish(`1`, "bob")
	tabs[1].seen(1)
	tabs[2].seen(s.published)
	for _, b := range tabs {
		b.quiet(true)
	}
}

// Where the server wants a token the page asks for it, and goes on when it has a cookie.
func TestTokenIsAskedFor(t *testing.T) {
	t.Parallel()
	const token = "open-sesame-0123456789"
	s := open(t, tokens(t, "read "+token+"\nwrite writer-0123456789\n"))
	b := newBrowser(t)
	b.do(chromedp.Navigate(s.page()), chromedp.WaitVisible("#session"))
	b.until(`document.getElementById('state').dataset.phase === 'token' && document.activeElement.id === 'token'`)
	b.do(chromedp.KeyEvent("wrong" + kb.Enter))
	b.until(`document.getElementById('token-said').textContent !== ''`)
	b.do(chromedp.KeyEvent(token + kb.Enter))
	b.until(`document.getElementById('state').dataset.phase === 'live' && document.getElementById('session').hidden`)
	s.send("writer-0123456789", `{"entity":"alice","scope":"shop","kind":"0x1:0x00a"}`)
	b.seen(1)
	if kept := evaluated[string](b, `document.cookie + document.getElementById('token').value + location.href`); strings.Contains(kept, "sesame") || strings.Contains(kept, "spillway_") {
		t.Errorf("the page keeps %s", kept)
	}
	b.quiet(true)
}
