package dashboard_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// shop is a server with something to show.
func shop(t *testing.T) *bed {
	t.Helper()
	s := open(t, func(o *server.Options) { o.Bounds.Buffer, o.Bounds.Write = 64, time.Minute })
	for i := range 24 {
		s.publish(fmt.Sprintf(`{"total":%d,"currency":"EUR"}`, 12+i), []string{"alice:cart", "bob:cart", "alice:order:7", "carol"}[i%4])
	}
	return s
}

// wider tells what is wider than the screen.
const wider = `[...document.querySelectorAll('body *')].filter(e => !e.closest('.skip, thead'))
	.filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 || document.documentElement.scrollWidth > innerWidth)
	.map(e => e.tagName + '#' + e.id + '.' + e.className)`

// The page shows everything that there is to show, light and dark, on a wide screen and on a phone, and the browser has nothing
// to say about it.
func TestPageShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := newBrowser(t)
	b.look("light", 1280)
	b.open(s.page())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(24)

	// One that is more than half full, above the page's own, and one that was pruned.
	s.stick("slow:one", 40)
	b.until(`document.querySelectorAll('#subscriptions-rows tr').length === 2`)
	row := evaluated[string](b, `document.querySelector('#subscriptions-rows tr').innerText`)
	if found := regexp.MustCompile(`^(\d+) of 64\s+entity=slow:one\s+\S+\s+0\s+\d\d:\d\d:\d\d\s+\S+/\S+\.go:\d+$`).FindStringSubmatch(strings.TrimSpace(row)); found == nil {
		t.Errorf("the fullest is %q", row)
	} else if n, err := strconv.Atoi(found[1]); err != nil || n < 40 {
		t.Errorf("the fullest holds %s", found[1])
	}
	s.publish(`"and no more"`, many(64, "slow:one")...)
	const prune = `[...document.querySelectorAll('#prunes-list li')].find(li => li.textContent.includes('entity=slow:one'))?.textContent`
	b.until(prune)
	if text := evaluated[string](b, prune); !regexp.MustCompile(`^\d\d:\d\d:\d\d pruned: full entity=slow:one \(\S+\): missed from \d+ on, held 64 of 64\S+/\S+\.go:\d+$`).MatchString(text) {
		t.Errorf("the prune is %q", text)
	}
	b.seen(s.published)
	b.until(fmt.Sprintf(`document.getElementById('stat-next').textContent === '%d' && document.getElementById('stat-lost').textContent !== '–'`, s.published))
	b.until(`/^broadcasts\/s \d+, accepted\/s \d+, pruned\/s \d+$/.test(document.getElementById('rates-words').textContent) &&
		/^events behind \d+, followers catching up \d+$/.test(document.getElementById('lag-words').textContent)`)

	papers := make(map[string]string)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			b.look(scheme, width)
			b.until(fmt.Sprintf(`innerWidth === %d && [...document.querySelectorAll('.chart canvas')].every(c => c.getBoundingClientRect().right <= innerWidth)`, width))
			if over := evaluated[[]string](b, wider); len(over) > 0 {
				t.Errorf("%s, %d wide: wider than the screen: %v", scheme, width, over)
			}
			papers[scheme] = evaluated[string](b, `getComputedStyle(document.body).backgroundColor`)
		}
	}
	if papers["light"] == papers["dark"] {
		t.Errorf("light and dark are both %s", papers["light"])
	}
	b.quiet(false)
	if folder := os.Getenv("SPILLWAY_SCREENSHOTS"); folder != "" {
		pictures(t, folder)
	}
}

// Each chart draws what the stats say: more than its axes.
func TestChartsAreDrawn(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	b := newBrowser(t)
	b.look("light", 1280)
	b.open(s.page())
	const drawn = `(id => {
		const c = document.querySelector('#' + id + ' canvas'), copy = new OffscreenCanvas(c.width, c.height).getContext('2d');
		copy.drawImage(c, 0, 0);
		const d = copy.getImageData(0, 0, c.width, c.height).data;
		for (let i = 0; i < d.length; i += 4) if (d[i] === 11 && d[i + 1] === 87 && d[i + 2] === 208) return true; // --a of light
		return false;
	})`
	b.until(`document.getElementById('rates-words').textContent !== 'No figures yet.'`)
	s.publish(`1`, many(10, "alice")...)
	b.until(`document.querySelector('#tree .name')?.textContent === 'alice'`) // which wasn't there when the page was opened
	for _, chart := range []string{"rates", "lag"} {
		b.until(drawn + `('` + chart + `')`)
	}
	b.quiet(false)
}

// H197: names and payloads that are markup are shown as the text they are.
func TestH197HostileTextIsText(t *testing.T) {
	t.Parallel()
	const (
		hostile = `<img src=x onerror=document.title='owned'><script>document.title='owned'</script>`
		name    = `<img src><b onclick>&lt;"it's` // as hostile as a name may be
	)
	s := open(t, func(o *server.Options) { o.Bounds.Write = time.Minute })
	s.send("", fmt.Sprintf(`{"entity":%q,"scope":%q,"kind":"0x1:0x001","payload":{"a":%q,"n":12345678901234567890}}`, name, name, hostile))
	b := newBrowser(t)
	b.open(s.page())
	b.do(chromedp.SendKeys("#tail-from", "start"+kb.Enter))
	b.seen(1)
	payload := evaluated[string](b, `document.querySelector('#tail-list code').textContent`)
	if !strings.Contains(payload, hostile) || !strings.Contains(payload, `12345678901234567890`) {
		t.Errorf("the payload is shown as %s", payload)
	}
	id := s.stick(name, 0)
	b.until(`document.querySelectorAll('#subscriptions-rows tr').length === 2`)
	s.end(id)
	for _, where := range []string{"#tail-list .name", "#tail-list .quiet", "#prunes-list .name", "#subscriptions-rows .name", "#tree .name"} {
		b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.textContent.includes(%q))`, where, name))
	}
	if n := evaluated[int](b, `document.querySelectorAll('img, b, body script').length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	if title := evaluated[string](b, `document.title`); title != "Spillway" {
		t.Errorf("the title is %q: a script ran", title)
	}
	b.quiet(false)
}

// What the server has not allowed can't run or load, should it ever get into the page: the browser says so, and does not.
func TestPolicyHolds(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	b := newBrowser(t)
	b.open(s.page())
	b.quiet(false)
	evaluated[bool](b, `(() => {
		document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = 1"><p style="color: red">');
		const script = document.createElement('script');
		script.textContent = 'document.title = 2';
		document.body.append(script);
		return true;
	})()`)
	b.saysUntil("security", 3)
	if title := evaluated[string](b, `document.title`); title != "Spillway" {
		t.Errorf("the title is %q: a script ran", title)
	}
}

// Everything is reached by the keyboard, and the tree goes by the arrows.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := newBrowser(t)
	b.open(s.page())
	b.until(`document.querySelectorAll('#tree > li').length === 3`)
	s.end(s.stick("slow", 0))
	b.until(`document.getElementById('prunes-list').textContent.includes('entity=slow')`)
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
